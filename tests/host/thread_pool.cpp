#include "src/host/thread_pool.hpp"

#include "tests/catch.hpp"

#include <chrono>
#include <mutex>
#include <set>

using namespace fdkbench;

TEST_CASE("Every part is run once, with more parts than threads and with fewer") {
    ThreadPool pool(4);
    REQUIRE(pool.threads() == 4);
    for (const int parts : {0, 1, 3, 4, 29}) {
        std::vector<std::atomic<int>> counts(parts);
        for (int run = 0; run < 200; ++run) {
            pool.run(parts, 4, [&](int part) { ++counts[part]; });
        }
        for (const auto& count : counts) {
            CHECK(count == 200);
        }
    }
}

TEST_CASE("A run uses at most the threads asked for, whatever earlier runs used") {
    ThreadPool pool(4);
    for (const int threads : {4, 1, 2, 9, 2}) {
        std::mutex mutex;
        std::set<std::thread::id> seen;
        pool.run(64, threads, [&](int) {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
            const std::lock_guard lock(mutex);
            seen.insert(std::this_thread::get_id());
        });
        CHECK(seen.size() <= static_cast<std::size_t>(threads));
        CHECK(!seen.empty());
    }
}

TEST_CASE("A pool of sleeping threads wakes up") {
    ThreadPool pool(3);
    std::atomic<int> sum{0};
    for (int run = 0; run < 3; ++run) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        pool.run(100, 3, [&](int part) { sum += part; });
    }
    CHECK(sum == 3 * 4950);
}

TEST_CASE("A pool of one thread runs on the caller") {
    ThreadPool pool(1);
    const auto caller = std::this_thread::get_id();
    pool.run(5, 8, [&](int) { CHECK(std::this_thread::get_id() == caller); });
}
