#include "src/core/artifact_cache.hpp"

#include "src/core/error.hpp"
#include "src/core/hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>

namespace fdkbench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashDigits = 64;

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
    throw EnvironmentError(
        fmt::format("cannot write the kernel cache {}: {}: make it writable, make room, or choose "
                    "another folder "
                    "with --cache-dir",
                    path.string(),
                    why));
}

std::string error_text(int code) {
    return std::generic_category().message(code);
}

fs::path key_path(const fs::path& directory, const std::string& key) {
    return directory / "keys" / key;
}

fs::path object_path(const fs::path& directory, const std::string& hash) {
    return directory / "objects" / hash;
}

std::optional<std::string> read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return std::nullopt;
    }
    std::string text{std::istreambuf_iterator<char>(file), {}};
    return file.bad() ? std::nullopt : std::optional(std::move(text));
}

void remove_quietly(const fs::path& path) {
    std::error_code ignored;
    fs::remove(path, ignored);
}

/// Writes everything and closes; returns errno, or 0.
int write_all(int fd, std::span<const std::byte> bytes) {
    int error = 0;
    while (!bytes.empty() && error == 0) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (::close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

constexpr std::string_view kTemporary = ".tmp";

/// A new empty file beside `path`. Its name is unique in this process by a counter and among
/// processes by the pid; on a network disk shared by several machines creation tells.
std::pair<int, fs::path> create_temporary(const fs::path& path) {
    static std::atomic<unsigned> counter = 0;
    while (true) {
        const fs::path temporary =
            fmt::format("{}.{}-{}{}", path.string(), ::getpid(), counter++, kTemporary);
        const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            return {fd, temporary};
        }
        if (errno != EEXIST && errno != EINTR) {
            fail(temporary, error_text(errno));
        }
    }
}

/// The pid in the name of a temporary file; 0 for any other file.
pid_t writer_of(const fs::path& file) {
    const std::string stem = file.stem().string();
    const std::size_t dot = stem.rfind('.');
    pid_t pid = 0;
    if (file.extension() == kTemporary && dot != std::string::npos) {
        std::from_chars(stem.data() + dot + 1, stem.data() + stem.size(), pid);
    }
    return pid;
}

/// Readers see the old file or the whole new one, never a part.
void publish_file(const fs::path& path, std::span<const std::byte> bytes) {
    while (true) {
        const auto [fd, temporary] = create_temporary(path);
        int error = write_all(fd, bytes);
        if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) {
            error = errno;
        }
        if (error == 0) {
            return;
        }
        // A machine that shares the folder does not know this process and may have tidied up; a
        // folder that is gone fails above.
        if (error != ENOENT) {
            remove_quietly(temporary);
            fail(path, error_text(error));
        }
    }
}

bool is_hash(std::string_view text) {
    return text.size() == kHashDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What the key file of `key` holds for an object.
std::string key_text(const std::string& key, const std::string& hash) {
    return key + ' ' + hash;
}

void add_part(std::string& text, std::string_view part) {
    text += fmt::format("{}:{}", part.size(), part);
}

}  // namespace

std::string compile_key(std::string_view source_digest,
                        std::span<const std::string> options,
                        std::string_view arch,
                        std::string_view compiler) {
    // Lengths stand before the parts, so that no two different lists give the same text.
    std::string text;
    add_part(text, source_digest);
    add_part(text, arch);
    add_part(text, compiler);
    for (const std::string& option : options) {
        add_part(text, option);
    }
    return sha256(text);
}

void require_intact(const fs::path& binary) {
    const std::string hash = binary.filename().string();
    if (!is_hash(hash)) {
        return;
    }
    const std::optional<std::string> content = read_file(binary);
    if (!content || sha256(*content) != hash) {
        // Not an EnvironmentError, which is a candidate's own where it is checked.
        throw Error(ExitCode::kEnvironment,
                    fmt::format("the compiled kernel {} {}: run the same command again, which "
                                "compiles it again",
                                binary.string(),
                                content ? "was damaged" : "is gone"));
    }
}

std::optional<std::vector<std::byte>> cached_binary(const fs::path& directory,
                                                    const std::string& hash) {
    const auto content = is_hash(hash) ? read_file(object_path(directory, hash)) : std::nullopt;
    if (!content || sha256(*content) != hash) {
        return std::nullopt;
    }
    const auto bytes = std::as_bytes(std::span(*content));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
}

ArtifactCache::ArtifactCache(const fs::path& directory) : directory_(fs::absolute(directory)) {
    for (const char* folder : {"keys", "objects"}) {
        const fs::path path = directory_ / folder;
        std::error_code error;
        fs::create_directories(path, error);
        if (error) {
            fail(path, error.message());
        }
        if (::access(path.c_str(), W_OK | X_OK) != 0) {
            fail(path, error_text(errno));
        }
    }
}

std::optional<Artifact> ArtifactCache::find(const std::string& key) const {
    const std::optional<std::string> text = read_file(key_path(directory_, key));
    if (!text) {
        return std::nullopt;
    }
    const std::string hash = text->substr(text->size() - std::min(text->size(), kHashDigits));
    if (!is_hash(hash) || *text != key_text(key, hash)) {
        remove_quietly(key_path(directory_, key));
        return std::nullopt;
    }
    Artifact artifact{.hash = hash, .path = object_path(directory_, hash)};
    const std::optional<std::string> binary = read_file(artifact.path);
    if (!binary) {
        return std::nullopt;
    }
    if (sha256(*binary) != artifact.hash) {
        remove_quietly(artifact.path);
        return std::nullopt;
    }
    return artifact;
}

Artifact ArtifactCache::publish(const std::string& key, std::span<const std::byte> binary) const {
    Artifact artifact;
    artifact.hash = sha256(binary);
    artifact.path = object_path(directory_, artifact.hash);
    publish_file(artifact.path, binary);
    const std::string text = key_text(key, artifact.hash);
    publish_file(key_path(directory_, key), std::as_bytes(std::span(text.data(), text.size())));
    return artifact;
}

void ArtifactCache::remove_leftovers() const {
    for (const char* folder : {"keys", "objects"}) {
        std::error_code ignored;
        for (const fs::directory_entry& file :
             fs::directory_iterator(directory_ / folder, ignored)) {
            const pid_t writer = writer_of(file.path());
            if (writer > 0 && ::kill(writer, 0) != 0 && errno == ESRCH) {
                remove_quietly(file.path());
            }
        }
    }
}

}  // namespace fdkbench
