#include "tuner/scratch_folder.hpp"

#include "tests/catch.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/wait.h>
#include <unistd.h>

using namespace fdkbench;
namespace fs = std::filesystem;

namespace {

/// The system's folder for temporary files for as long as it lives.
class TemporaryPlace {
  public:
    TemporaryPlace() {
        std::string name = (fs::temp_directory_path() / "fdkbench-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
        ::setenv("TMPDIR", path_.c_str(), 1);
    }
    ~TemporaryPlace() {
        ::unsetenv("TMPDIR");
        fs::remove_all(path_);
    }
    TemporaryPlace(const TemporaryPlace&) = delete;
    TemporaryPlace& operator=(const TemporaryPlace&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }
    [[nodiscard]] std::ptrdiff_t entries() const {
        return std::distance(fs::directory_iterator(path_), fs::directory_iterator());
    }

  private:
    fs::path path_;
};

/// A process that holds a scratch folder with a file in it; with `helper` it has started another
/// process, which outlives it until `end_helper` is closed.
struct Holder {
    pid_t pid = -1;
    int end_helper = -1;
};

Holder start_holder(bool helper) {
    int ready[2];
    int end_helper[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(end_helper) == 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        const ScratchFolder folder;
        std::ofstream(folder.path() / "file") << "text";
        if (helper && ::fork() == 0) {
            ::close(end_helper[1]);
            char byte = 0;
            ::_exit(::read(end_helper[0], &byte, 1) == 0 ? 0 : 1);
        }
        static_cast<void>(::write(ready[1], "x", 1));
        ::pause();
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
    ::close(end_helper[0]);
    return {pid, end_helper[1]};
}

void kill_now(const Holder& holder) {
    ::kill(holder.pid, SIGKILL);
    ::waitpid(holder.pid, nullptr, 0);
}

}  // namespace

TEST_CASE("A scratch folder goes with all that is in it") {
    const TemporaryPlace place;
    {
        const ScratchFolder folder;
        CHECK(folder.path().parent_path() == place.path());
        fs::create_directory(folder.path() / "deep");
        std::ofstream(folder.path() / "deep" / "file") << "text";
    }
    CHECK(place.entries() == 0);
}

TEST_CASE("The folder of a killed process goes when another makes its own") {
    const TemporaryPlace place;
    const Holder holder = start_holder(false);
    CHECK(place.entries() == 1);
    {
        const ScratchFolder folder;
        CHECK(place.entries() == 2);  // the other still lives
    }
    CHECK(place.entries() == 1);
    kill_now(holder);
    const ScratchFolder folder;
    CHECK(place.entries() == 1);
    CHECK(fs::exists(folder.path()));
    ::close(holder.end_helper);
}

TEST_CASE("A folder stays while a process lives that its maker started") {
    const TemporaryPlace place;
    const Holder holder = start_holder(true);
    kill_now(holder);
    {
        const ScratchFolder folder;
        CHECK(place.entries() == 2);
    }
    ::close(holder.end_helper);
    // The helper is nobody's child here: its end shows in the folder's.
    for (int i = 0; i < 500 && place.entries() > 0; ++i) {
        { const ScratchFolder folder; }
        ::usleep(10'000);
    }
    CHECK(place.entries() == 0);
}

TEST_CASE("What only looks like a scratch folder is left alone") {
    const TemporaryPlace place;
    std::ofstream(place.path() / "fdkbench-scratch-file") << "text";
    fs::create_directory(place.path() / "fdkbench-other");
    fs::create_directory(place.path() / "target");
    fs::create_directory_symlink(place.path() / "target", place.path() / "fdkbench-scratch-link");
    { const ScratchFolder folder; }
    CHECK(place.entries() == 4);
    CHECK(fs::exists(place.path() / "target"));
}
