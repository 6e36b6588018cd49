#pragma once

#include "src/core/problem.hpp"

#include <bit>
#include <cstdint>

namespace fdkbench {

// Defined here because they run on tens of millions of values in loops that should vectorise.

/// Rounds to nearest, ties to even; NaN stays NaN.
inline std::uint16_t to_bits16(float value, ElementType type) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    if (type == ElementType::kBf16) {
        const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16U) & 1U);
        const std::uint32_t quiet_nan = bits | 0x400000U;
        return static_cast<std::uint16_t>((magnitude > 0x7f800000U ? quiet_nan : rounded) >> 16U);
    }
    const std::uint32_t sign = (bits >> 16U) & 0x8000U;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000U) {
        half = 0x7e00U;
    } else if (magnitude >= 0x47800000U) {  // 65536 and above
        half = 0x7c00U;
    } else if (magnitude < 0x38800000U) {  // below 2^-14: subnormal, in steps of 2^-24
        // The last bit of a float in [0.5, 1) is worth 2^-24, so this addition does the rounding.
        half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
    } else {
        half = (magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13U) & 1U)) >> 13U;
    }
    return static_cast<std::uint16_t>(sign | half);
}

/// Exact.
inline float from_bits16(std::uint16_t bits, ElementType type) {
    const std::uint32_t wide = bits;
    if (type == ElementType::kBf16) {
        return std::bit_cast<float>(wide << 16U);
    }
    const std::uint32_t exponent = wide & 0x7c00U;
    const std::uint32_t sign = (wide & 0x8000U) << 16U;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(wide & 0x3ffU) * 0x1p-24F;
        return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
    }
    const std::uint32_t rebias = exponent == 0x7c00U ? 0x70000000U : 0x38000000U;
    return std::bit_cast<float>(sign | (((wide & 0x7fffU) << 13U) + rebias));
}

}  // namespace fdkbench
