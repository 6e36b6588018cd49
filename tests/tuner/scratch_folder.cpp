#include "tuner/scratch_folder.hpp"

#include "tests/catch.hpp"
#include "tests/temporary.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <sys/wait.h>
#include <unistd.h>

using namespace fdkbench;
using test::TemporaryPlace;
namespace fs = std::filesystem;

namespace {

/// How many entries the place has.
std::ptrdiff_t entries(const TemporaryPlace& place) {
    return std::distance(fs::directory_iterator(place.path()), fs::directory_iterator());
}

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
    CHECK(entries(place) == 0);
}

TEST_CASE("The folder of a killed process goes when another makes its own") {
    const TemporaryPlace place;
    const Holder holder = start_holder(false);
    CHECK(entries(place) == 1);
    {
        const ScratchFolder folder;
        CHECK(entries(place) == 2);  // the other still lives
    }
    CHECK(entries(place) == 1);
    kill_now(holder);
    const ScratchFolder folder;
    CHECK(entries(place) == 1);
    CHECK(fs::exists(folder.path()));
    ::close(holder.end_helper);
}

TEST_CASE("A folder stays while a process lives that its maker started") {
    const TemporaryPlace place;
    const Holder holder = start_holder(true);
    kill_now(holder);
    {
        const ScratchFolder folder;
        CHECK(entries(place) == 2);
    }
    ::close(holder.end_helper);
    // The helper is nobody's child here: its end shows in the folder's.
    for (int i = 0; i < 500 && entries(place) > 0; ++i) {
        { const ScratchFolder folder; }
        ::usleep(10'000);
    }
    CHECK(entries(place) == 0);
}

TEST_CASE("What only looks like a scratch folder is left alone") {
    const TemporaryPlace place;
    std::ofstream(place.path() / "fdkbench-scratch-file") << "text";
    fs::create_directory(place.path() / "fdkbench-other");
    fs::create_directory(place.path() / "target");
    fs::create_directory_symlink(place.path() / "target", place.path() / "fdkbench-scratch-link");
    { const ScratchFolder folder; }
    CHECK(entries(place) == 4);
    CHECK(fs::exists(place.path() / "target"));
}
