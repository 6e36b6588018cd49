#pragma once

#include "src/core/bits16.cuh"
#include "src/core/problem.hpp"

#include <cstdint>

namespace fdkbench {

/// Rounds to nearest, ties to even; NaN stays NaN.
inline std::uint16_t to_bits16(float value, ElementType type) {
    return type == ElementType::kBf16 ? bf16_bits(value) : fp16_bits(value);
}

/// Exact.
inline float from_bits16(std::uint16_t bits, ElementType type) {
    return type == ElementType::kBf16 ? bf16_value(bits) : fp16_value(bits);
}

}  // namespace fdkbench
