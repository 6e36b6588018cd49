#include "src/host/thread_pool.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace fdkbench {
namespace {

constexpr int kSpins = 4000;
constexpr std::uint64_t kWorkerBits = 16;
constexpr std::uint64_t kWorkerMask = (std::uint64_t{1} << kWorkerBits) - 1;

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Returns when `value` is no longer `old`.
template <typename T>
void wait_for_change(const std::atomic<T>& value, T old) {
    for (int spin = 0; spin < kSpins; ++spin) {
        if (value.load(std::memory_order_acquire) != old) {
            return;
        }
        relax();
    }
    value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
    for (int index = 1; index < threads; ++index) {
        workers_.emplace_back([this, index] { work(index); });
    }
}

ThreadPool::~ThreadPool() {
    stop_ = true;
    ticket_ += kWorkerMask + 1;
    ticket_.notify_all();
    for (std::thread& worker : workers_) {
        worker.join();
    }
}

void ThreadPool::claim_parts() {
    for (int part = next_part_++; part < parts_; part = next_part_++) {
        (*body_)(part);
    }
}

void ThreadPool::run(int parts, int threads, const std::function<void(int)>& body) {
    const int helpers = std::min({threads, parts, this->threads()}) - 1;
    if (helpers <= 0) {
        for (int part = 0; part < parts; ++part) {
            body(part);
        }
        return;
    }
    body_ = &body;
    parts_ = parts;
    next_part_ = 0;
    working_ = helpers;
    const std::uint64_t run_number = (ticket_.load() >> kWorkerBits) + 1;
    ticket_.store(run_number << kWorkerBits | static_cast<std::uint64_t>(helpers));
    ticket_.notify_all();
    claim_parts();
    for (int left = working_.load(); left > 0; left = working_.load()) {
        wait_for_change(working_, left);
    }
}

void ThreadPool::work(int index) {
    std::uint64_t seen = 0;
    while (true) {
        wait_for_change(ticket_, seen);
        seen = ticket_.load();
        if (stop_) {
            return;
        }
        // Only workers that this run waits for may touch its parts: the next run may have begun.
        if (static_cast<std::uint64_t>(index) <= (seen & kWorkerMask)) {
            claim_parts();
            if (--working_ == 0) {
                working_.notify_one();
            }
        }
    }
}

void wait_for_quiet_threads() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    const std::string own = std::to_string(gettid());
    const auto busy = [&own] {
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
            std::ifstream file(entry.path() / "stat");
            const std::string stat((std::istreambuf_iterator<char>(file)), {});
            const std::size_t name_end = stat.rfind(") ");
            if (entry.path().filename() != own && name_end != std::string::npos &&
                stat[name_end + 2] == 'R') {
                return true;
            }
        }
        return false;
    };
    while (busy() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
}

}  // namespace fdkbench
