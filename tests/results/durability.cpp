#include "results/store.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace fdkbench;

namespace {

/// Adds rows until there are `last`, calling `added` after each.
template <typename Added>
void add_rows(Store& store, int first, int last, Added added) {
    for (int i = first; i < last; ++i) {
        const Candidate kernel = candidate(i);
        store.add(kernel, hash_of(kernel), correct(2, 64, 10));
        added(i);
    }
}

/// The database is sound, and every measurement has all of its samples.
void check_whole(const std::filesystem::path& path) {
    const Store store = Store::open(path);
    CHECK(value(store, "PRAGMA integrity_check") == "ok");
    CHECK(store.query("PRAGMA foreign_key_check").rows.empty());
    CHECK(value(store,
                "SELECT count(*) FROM measurement WHERE samples <>"
                " (SELECT count(*) FROM sample WHERE measurement_id = measurement.id)") == "0");
}

int rows_in(const std::filesystem::path& path) {
    return std::stoi(value(Store::open(path), "SELECT count(*) FROM measurement"));
}

}  // namespace

TEST_CASE("Two sweeps write one database at the same time") {
    const TemporaryFolder folder;
    const auto path = folder / "a.db";
    constexpr int kRows = 100;
    const auto sweep = [&](int first) {
        Store store = Store::open(path);
        store.begin_run(fictional_run());
        add_rows(store, first, first + kRows, [](int) {});
    };
    std::thread other(sweep, kRows);
    sweep(0);
    other.join();
    CHECK(rows_in(path) == 2 * kRows);
    check_whole(path);
}

TEST_CASE("Many processes create one database at the same time") {
    for (int round = 0; round < 5; ++round) {
        const TemporaryFolder folder;
        std::vector<pid_t> children;
        for (int child = 0; child < 8; ++child) {
            const pid_t pid = ::fork();
            if (pid == 0) {
                try {
                    Store store = Store::open(folder / "a.db");
                    store.begin_run(fictional_run());
                    ::_exit(0);
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "%s\n", error.what());
                    ::_exit(1);
                }
            }
            children.push_back(pid);
        }
        for (const pid_t child : children) {
            int status = -1;
            ::waitpid(child, &status, 0);
            CHECK(status == 0);
        }
        CHECK(value(Store::open(folder / "a.db"), "SELECT count(*) FROM run") == "8");
    }
}

TEST_CASE("A killed sweep leaves every row that was added, whole") {
    const TemporaryFolder folder;
    const auto path = folder / "a.db";
    int first = 0;
    for (int round = 0; round < 10; ++round) {
        int channel[2];
        REQUIRE(::pipe(channel) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
            Store store = Store::open(path);
            store.begin_run(fictional_run());
            add_rows(store, first, 1 << 30, [&](int row) {
                if (::write(channel[1], &row, sizeof row) != sizeof row) {
                    ::_exit(1);
                }
            });
        }
        ::close(channel[1]);
        int last = -1;
        // Killed at an arbitrary moment after some rows.
        for (int i = 0; i < 20; ++i) {
            REQUIRE(::read(channel[0], &last, sizeof last) == sizeof last);
        }
        ::usleep(static_cast<useconds_t>(round * 777));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        while (::read(channel[0], &last, sizeof last) == sizeof last) {
        }
        ::close(channel[0]);

        check_whole(path);
        const int rows = rows_in(path);
        CHECK(rows >= last + 1);
        CHECK(rows <= last + 2);
        first = rows;
    }
}

TEST_CASE("A full database is an environment error that keeps the rows stored so far") {
    const TemporaryFolder folder;
    const auto path = folder / "a.db";
    Store store = Store::open(path);
    store.begin_run(fictional_run());
    REQUIRE(value(store, "PRAGMA max_page_count = 60") == "60");
    int stored = 0;
    CHECK_THROWS_AS(add_rows(store, 0, 10'000, [&](int row) { stored = row + 1; }),
                    EnvironmentError);
    CHECK_THROWS_WITH(add_rows(store, stored, 10'000, [&](int row) { stored = row + 1; }),
                      ContainsSubstring("the disk is full; free some space"));
    CHECK(stored > 10);
    check_whole(path);
    CHECK(rows_in(path) == stored);

    SECTION("and the same store goes on once there is space") {
        REQUIRE(value(store, "PRAGMA max_page_count = 10000") == "10000");
        add_rows(store, stored, stored + 100, [](int) {});
        CHECK(rows_in(path) == stored + 100);
    }
}

TEST_CASE("A disk that fails to write is an environment error that keeps the rows stored so far") {
    const TemporaryFolder folder;
    const auto path = folder / "a.db";
    Store store = Store::open(path);
    store.begin_run(fictional_run());
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{512 * 1024, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    int stored = 0;
    std::string message;
    try {
        add_rows(store, 0, 10'000, [&](int row) { stored = row + 1; });
    } catch (const EnvironmentError& error) {
        message = error.what();
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old_handler);
    CHECK_THAT(message, ContainsSubstring("disk I/O error") && ContainsSubstring(path.string()));
    CHECK(stored > 10);
    check_whole(path);
    CHECK(rows_in(path) == stored);
}

TEST_CASE("A database that another process keeps locked is an environment error") {
    const TemporaryFolder folder;
    const auto path = folder / "a.db";
    Store store = Store::open(path);
    store.begin_run(fictional_run());
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::execlp("python3",
                 "python3",
                 "-c",
                 "import os, sqlite3, sys, time\n"
                 "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                 "db.execute('BEGIN IMMEDIATE')\n"
                 "os.write(int(sys.argv[2]), b'x')\n"
                 "time.sleep(60)\n",
                 path.c_str(),
                 std::to_string(ready[1]).c_str(),
                 nullptr);
        ::_exit(1);
    }
    ::close(ready[1]);
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    REQUIRE(value(store, "PRAGMA busy_timeout = 10") == "10");
    CHECK_THROWS_WITH(store.add(candidate(1), "hash", correct(2)),
                      ContainsSubstring("locked by another process"));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    store.add(candidate(1), "hash", correct(2));
    CHECK(rows_in(path) == 1);
}
