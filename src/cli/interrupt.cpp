#include "src/cli/interrupt.hpp"

#include <csignal>
#include <cstdint>
#include <ctime>
#include <unistd.h>

namespace fdkbench {
namespace {

std::atomic<bool> interrupted{false};
std::atomic<std::int64_t> first_ms{0};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "set from a signal handler");

/// timeout and job launchers signal a process and its group: two signals in a moment are one.
constexpr std::int64_t kSameSignalMs = 100;

std::int64_t now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void on_signal(int signal) {
    if (!interrupted.exchange(true)) {
        first_ms = now_ms();
    } else if (now_ms() - first_ms > kSameSignalMs) {
        _exit(128 + signal);
    }
}

}  // namespace

const std::atomic<bool>& stop_on_interrupt() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    return interrupted;
}

}  // namespace fdkbench
