#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace fdkbench {

/// Threads that wait for work, the calling thread among them. Idle ones spin for some tens of
/// microseconds, so that launches in a row find them awake, and then sleep.
class ThreadPool {
  public:
    /// `threads` counts the calling thread.
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ThreadPool(ThreadPool&&) = delete;
    ThreadPool& operator=(ThreadPool&&) = delete;

    [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }

    /// Calls body(part) once for each part in [0, parts), on at most `threads` threads; returns
    /// when all are done. Parts are claimed in order. `body` must not throw.
    void run(int parts, int threads, const std::function<void(int)>& body);

  private:
    void work(int index);
    void claim_parts();

    /// Rises with every run; its low bits say how many workers take part.
    std::atomic<std::uint64_t> ticket_{0};
    std::atomic<int> next_part_{0};
    std::atomic<int> working_{0};
    const std::function<void(int)>* body_ = nullptr;
    int parts_ = 0;
    std::atomic<bool> stop_{false};
    std::vector<std::thread> workers_;
};

/// Waits until no other thread of the process is running, 20 ms at most: threads of one runtime
/// that still spin would take the cores from another that is about to be timed.
void wait_for_quiet_threads();

}  // namespace fdkbench
