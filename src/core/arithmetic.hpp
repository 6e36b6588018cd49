#pragma once

#include <cstdint>

namespace fdkbench {

/// ⌈a ÷ b⌉ for positive numbers.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
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
