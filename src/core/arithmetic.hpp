#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace fdkbench {

/// ⌈a ÷ b⌉ for positive numbers.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

/// How many times the one must be doubled to be the other; below 1 they count as 1.
inline double octaves(std::int64_t a, std::int64_t b) {
    return std::abs(std::log2(static_cast<double>(std::max<std::int64_t>(a, 1)) /
                              static_cast<double>(std::max<std::int64_t>(b, 1))));
}

/// GB/s (10⁹ bytes) of `bytes` in `time_us` microseconds.
constexpr double gb_s(std::int64_t bytes, double time_us) {
    return static_cast<double>(bytes) / time_us * 1e-3;
}

/// In GiB.
constexpr double gib(std::uint64_t bytes) {
    return static_cast<double>(bytes) / 0x1p30;
}

}  // namespace fdkbench
