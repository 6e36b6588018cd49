#include "src/cuda/ceilings.hpp"

#include "src/core/arithmetic.hpp"
#include "src/core/statistics.hpp"
#include "src/cuda/check.hpp"
#include "src/cuda/read_floor.hpp"

#include <algorithm>
#include <limits>

namespace fdkbench {

namespace {

constexpr std::int64_t kReadSizes[] = {
    2'500'000, 5'000'000, 9'000'000, 17'000'000, 34'000'000, 67'000'000, 134'000'000, 537'000'000};
constexpr std::int64_t kCopyBytes = 537'000'000;
constexpr std::size_t kEmptyLaunches = 500;

/// Median of a few replays after a warm-up.
double typical_us(Replay& replay) {
    replay.time_us();
    return median({replay.time_us(), replay.time_us(), replay.time_us()});
}

}  // namespace

double Ceilings::read_floor_us(std::int64_t bytes) {
    if (const auto known = read_floor_us_.find(bytes); known != read_floor_us_.end()) {
        return known->second;
    }
    return read_floor_us_[bytes] = measure_read_floor_us(session_, bytes);
}

double Ceilings::matmul_tflop_s() {
    if (matmul_tflop_s_) {
        return *matmul_tflop_s_;
    }
    constexpr std::int64_t kSide = 8192;
    Problem problem;
    problem.shape = {kSide, kSide, kSide};
    const auto x = session_.allocate_random(2 * kSide * kSide);
    const auto w = session_.allocate_random(2 * kSide * kSide);
    const auto y = session_.allocate(2 * kSide * kSide);
    Arguments arguments;
    arguments.x = x->data();
    arguments.w = w->data();
    arguments.y = y->data();
    double best_us = std::numeric_limits<double>::infinity();
    for (const auto& algorithm : session_.matmul().algorithms(matmul_spec(problem), 8)) {
        const auto replay = session_.record(1, [&](std::size_t) { algorithm->launch(arguments); });
        best_us = std::min(best_us, typical_us(*replay));
    }
    matmul_tflop_s_ = problem.flops() / best_us * 1e-6;
    return *matmul_tflop_s_;
}

double Ceilings::copy_us(std::int64_t bytes) const {
    const auto from = session_.allocate_random(static_cast<std::size_t>(bytes));
    const auto to = session_.allocate(from->bytes());
    const auto replay = session_.record(2, [&](std::size_t) {
        check(cudaMemcpyAsync(to->data(),
                              from->data(),
                              static_cast<std::size_t>(bytes),
                              cudaMemcpyDeviceToDevice,
                              session_.stream()),
              "cudaMemcpyAsync");
    });
    return typical_us(*replay);
}

double Ceilings::empty_launch_us() {
    if (!empty_launch_us_) {
        const auto kernel = session_.probe("empty", 1, 32);
        const auto replay =
            session_.record(kEmptyLaunches, [&](std::size_t) { kernel->launch(Arguments{}); });
        empty_launch_us_ = typical_us(*replay);
    }
    return *empty_launch_us_;
}

std::vector<Ceiling> Ceilings::all() {
    std::vector<Ceiling> ceilings;
    for (const std::int64_t bytes : kReadSizes) {
        ceilings.push_back({"read", bytes, gb_s(bytes, read_floor_us(bytes)), "GB/s"});
    }
    ceilings.push_back({"copy", kCopyBytes, gb_s(2 * kCopyBytes, copy_us(kCopyBytes)), "GB/s"});
    ceilings.push_back({"launch", 0, empty_launch_us(), "us"});
    ceilings.push_back({"matmul", 0, matmul_tflop_s(), "TFLOP/s"});
    return ceilings;
}

}  // namespace fdkbench
