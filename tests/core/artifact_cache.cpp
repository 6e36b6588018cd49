#include "src/core/artifact_cache.hpp"

#include "src/core/error.hpp"
#include "src/core/hash.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace fdkbench;
namespace fs = std::filesystem;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void overwrite(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

std::size_t file_count(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(folder),
                                                  fs::recursive_directory_iterator()));
}

const std::string kKey = sha256("key");
const std::string kBinary(
    "\x7f"
    "ELF\0 a kernel",
    14);

}  // namespace

TEST_CASE("A published kernel is found by its key, under the hash of its bytes") {
    const test::TemporaryFolder scratch;
    const ArtifactCache cache(scratch / "deep" / "cache");
    CHECK_FALSE(cache.find(kKey));
    const Artifact published = cache.publish(kKey, bytes_of(kBinary));
    CHECK(published.hash == sha256(kBinary));
    CHECK(published.path.is_absolute());
    CHECK(content(published.path) == kBinary);

    const ArtifactCache other(scratch / "deep" / "cache");
    const auto found = other.find(kKey);
    REQUIRE(found);
    CHECK(found->hash == published.hash);
    CHECK(found->path == published.path);
    CHECK_FALSE(other.find(sha256("another key")));
}

TEST_CASE("Two keys of the same code share one object, and a key can be published again") {
    const test::TemporaryFolder scratch;
    const ArtifactCache cache(scratch.path());
    const auto first = cache.publish(kKey, bytes_of(kBinary));
    const auto second = cache.publish(sha256("second"), bytes_of(kBinary));
    CHECK(first.path == second.path);
    const std::string newer = "newer code";
    cache.publish(kKey, bytes_of(newer));
    CHECK(content(cache.find(kKey)->path) == newer);
    CHECK(content(cache.find(sha256("second"))->path) == kBinary);
}

TEST_CASE("A damaged object is removed, is absent, and can be published again") {
    const test::TemporaryFolder scratch;
    const ArtifactCache cache(scratch.path());
    const auto artifact = cache.publish(kKey, bytes_of(kBinary));
    const std::string damage = GENERATE(std::string("\x7f"
                                                    "ELF\0 a kerneL",
                                                    14),  // a bit
                                        kBinary.substr(0, 5),
                                        std::string(),
                                        kBinary + "more");
    overwrite(artifact.path, damage);
    CHECK_FALSE(cache.find(kKey));
    CHECK_FALSE(fs::exists(artifact.path));
    cache.publish(kKey, bytes_of(kBinary));
    CHECK(cache.find(kKey));
}

TEST_CASE("A damaged or foreign key file is absent, and an object that is gone too") {
    const test::TemporaryFolder scratch;
    const ArtifactCache cache(scratch.path());
    const auto artifact = cache.publish(kKey, bytes_of(kBinary));
    const fs::path key_file = scratch / "keys" / kKey;
    const std::string text = content(key_file);
    SECTION("truncated, extended or with a bit flipped") {
        std::string flipped = text;
        flipped[GENERATE(0, 10, 64, 65, 128)] ^= 1;
        overwrite(key_file,
                  GENERATE_COPY(text.substr(0, 20),
                                text.substr(1),
                                text.substr(0, 128),
                                text + "\n",
                                std::string(),
                                artifact.hash,
                                flipped));
        CHECK_FALSE(cache.find(kKey));
    }
    SECTION("another key's") {
        const std::string other = sha256("other");
        cache.publish(other, bytes_of("other code"));
        fs::copy_file(scratch / "keys" / other, key_file, fs::copy_options::overwrite_existing);
        CHECK_FALSE(cache.find(kKey));
        CHECK_FALSE(fs::exists(key_file));
        CHECK(content(cache.find(other)->path) == "other code");
    }
    SECTION("of another key's object") {
        const auto other = cache.publish(sha256("other"), bytes_of("other code"));
        fs::copy_file(other.path, artifact.path, fs::copy_options::overwrite_existing);
        CHECK_FALSE(cache.find(kKey));
        CHECK(cache.find(sha256("other")));
    }
    SECTION("a path that leads elsewhere") {
        overwrite(scratch / "secret", "text");
        overwrite(scratch / "keys" / kKey, "../secret");
        CHECK_FALSE(cache.find(kKey));
        CHECK(fs::exists(scratch / "secret"));
    }
    SECTION("gone") {
        fs::remove(artifact.path);
        CHECK_FALSE(cache.find(kKey));
    }
    SECTION("foreign files beside it do no harm") {
        overwrite(scratch / "objects" / "notes.txt", "hello");
        overwrite(scratch / "keys" / (kKey + ".1-0.tmp"), "left behind");
        CHECK(cache.find(kKey));
    }
}

TEST_CASE("A kernel is intact while its content is what its name says") {
    const test::TemporaryFolder scratch;
    const auto artifact = ArtifactCache(scratch.path()).publish(kKey, bytes_of(kBinary));
    require_intact(artifact.path);
    SECTION("a bit flips") {
        overwrite(artifact.path, kBinary.substr(0, 13) + 'm');
        CHECK_THROWS_WITH(require_intact(artifact.path), ContainsSubstring("was damaged"));
    }
    SECTION("it is gone") {
        fs::remove(artifact.path);
        CHECK_THROWS_WITH(require_intact(artifact.path), ContainsSubstring("is gone"));
        // As an EnvironmentError it would become the candidate's status.
        try {
            require_intact(artifact.path);
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::kEnvironment);
            CHECK(dynamic_cast<const EnvironmentError*>(&error) == nullptr);
        }
    }
    overwrite(scratch / "kernel.so", "not of the cache");
    require_intact(scratch / "kernel.so");
}

TEST_CASE("What a killed process did not publish is removed, and nothing else") {
    const test::TemporaryFolder scratch;
    const ArtifactCache cache(scratch.path());
    cache.publish(kKey, bytes_of(kBinary));
    const pid_t gone = ::fork();
    if (gone == 0) {
        ::_exit(0);
    }
    ::waitpid(gone, nullptr, 0);
    const auto temporary = [&](const std::string& folder, pid_t pid) {
        const fs::path path = scratch / folder / (kKey + "." + std::to_string(pid) + "-0.tmp");
        overwrite(path, "half");
        return path;
    };
    const fs::path dead_key = temporary("keys", gone);
    const fs::path dead_object = temporary("objects", gone);
    const fs::path alive = temporary("keys", ::getpid());
    overwrite(scratch / "objects" / "notes.tmp", "hello");
    overwrite(scratch / "objects" / ("notes." + std::to_string(gone)), "hello");
    cache.remove_leftovers();
    CHECK_FALSE(fs::exists(dead_key));
    CHECK_FALSE(fs::exists(dead_object));
    CHECK(fs::exists(alive));
    CHECK(file_count(scratch / "objects") == 3);
    CHECK(cache.find(kKey));
}

TEST_CASE("Threads that publish and find the same key never see a part of a file") {
    const test::TemporaryFolder scratch;
    const std::string big(300000, 'k');
    const auto work = [&] {
        const ArtifactCache cache(scratch.path());
        int bad = 0;
        for (int i = 0; i < 30; ++i) {
            cache.publish(kKey, bytes_of(big));
            bad += cache.find(kKey) ? 0 : 1;
        }
        return bad;
    };
    int bad = 0;
    std::thread other([&] { bad = work(); });
    const int own_bad = work();
    other.join();
    CHECK(bad + own_bad == 0);
    CHECK(file_count(scratch / "objects") == 1);
    CHECK(file_count(scratch / "keys") == 1);
}

TEST_CASE("A cache that cannot be created names the folder and --cache-dir") {
    const test::TemporaryFolder scratch;
    overwrite(scratch / "file", "");
    const fs::path impossible = scratch / "file" / "cache";
    CHECK_THROWS_AS(ArtifactCache(impossible), EnvironmentError);
    CHECK_THROWS_WITH(ArtifactCache(impossible), ContainsSubstring(impossible.string()));
    CHECK_THROWS_WITH(ArtifactCache(impossible), ContainsSubstring("--cache-dir"));
}

TEST_CASE("A write that fails half way is reported and leaves nothing behind") {
    const test::TemporaryFolder scratch;
    const ArtifactCache cache(scratch.path());
    const std::string big(100000, 'k');

    // A limit on file sizes stands for a full disk: write() takes a part, then fails.
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{50000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    std::string message;
    try {
        cache.publish(kKey, bytes_of(big));
    } catch (const EnvironmentError& error) {
        message = error.what();
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old_handler);

    CHECK_THAT(message, ContainsSubstring("--cache-dir"));
    CHECK_THAT(message, ContainsSubstring("File too large"));
    CHECK_FALSE(cache.find(kKey));
    CHECK(file_count(scratch.path()) == 2);  // the two folders
    cache.publish(kKey, bytes_of(big));
    CHECK(cache.find(kKey));
}

TEST_CASE("A folder that vanished is reported") {
    const test::TemporaryFolder scratch;
    const ArtifactCache cache(scratch.path());
    fs::remove_all(scratch / "objects");
    CHECK_THROWS_AS(cache.publish(kKey, bytes_of(kBinary)), EnvironmentError);
}

TEST_CASE("Whatever changes in a compilation changes its key") {
    const std::vector<std::string> options = {"-DA=1", "-DB=2"};
    const std::string key = compile_key("digest", options, "sm_90a", "nvrtc 13.0");
    CHECK(key == compile_key("digest", options, "sm_90a", "nvrtc 13.0"));
    CHECK(key.size() == 64);
    CHECK(key != compile_key("digesT", options, "sm_90a", "nvrtc 13.0"));
    CHECK(key != compile_key("digest", options, "sm_90", "nvrtc 13.0"));
    CHECK(key != compile_key("digest", options, "sm_90a", "nvrtc 13.1"));
    CHECK(key != compile_key("digest", {}, "sm_90a", "nvrtc 13.0"));
    // The same characters in all, cut elsewhere.
    CHECK(key != compile_key("digests", options, "m_90a", "nvrtc 13.0"));
    CHECK(key != compile_key("digest", options, "sm_90an", "vrtc 13.0"));
    const std::vector<std::string> joined = {"-DA=1-DB=2"};
    const std::vector<std::string> moved = {"-DA=1-", "DB=2"};
    const std::vector<std::string> swapped = {"-DB=2", "-DA=1"};
    CHECK(key != compile_key("digest", joined, "sm_90a", "nvrtc 13.0"));
    CHECK(key != compile_key("digest", moved, "sm_90a", "nvrtc 13.0"));
    CHECK(key != compile_key("digest", swapped, "sm_90a", "nvrtc 13.0"));
}
