#pragma once

// 16-bit numbers on CPU and GPU. Defined here because they run on tens of millions of values in
// loops that should vectorise.
#include "src/core/device_code.cuh"

namespace fdkbench {

using Bits16 = unsigned short;
using Bits32 = unsigned int;

FDKBENCH_DEVICE inline Bits32 bits_of(float value) {
    return __builtin_bit_cast(Bits32, value);
}

FDKBENCH_DEVICE inline float float_of(Bits32 bits) {
    return __builtin_bit_cast(float, bits);
}

/// Rounds to nearest, ties to even; NaN stays NaN.
FDKBENCH_DEVICE inline Bits16 bf16_bits(float value) {
    const Bits32 bits = bits_of(value);
    const Bits32 magnitude = bits & 0x7fffffffU;
    const Bits32 rounded = bits + 0x7fffU + ((bits >> 16U) & 1U);
    const Bits32 quiet_nan = bits | 0x400000U;
    return static_cast<Bits16>((magnitude > 0x7f800000U ? quiet_nan : rounded) >> 16U);
}

/// The same.
FDKBENCH_DEVICE inline Bits16 fp16_bits(float value) {
    const Bits32 bits = bits_of(value);
    const Bits32 magnitude = bits & 0x7fffffffU;
    const Bits32 sign = (bits >> 16U) & 0x8000U;
    Bits32 half = 0;
    if (magnitude > 0x7f800000U) {
        half = 0x7e00U;
    } else if (magnitude >= 0x47800000U) {  // 65536 and above
        half = 0x7c00U;
    } else if (magnitude < 0x38800000U) {  // below 2^-14: subnormal, in steps of 2^-24
        // The last bit of a float in [0.5, 1) is worth 2^-24, so this addition does the rounding.
        half = bits_of(float_of(magnitude) + 0.5F) - 0x3f000000U;
    } else {
        half = (magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13U) & 1U)) >> 13U;
    }
    return static_cast<Bits16>(sign | half);
}

/// Exact.
FDKBENCH_DEVICE inline float bf16_value(Bits16 bits) {
    return float_of(Bits32{bits} << 16U);
}

/// Exact.
FDKBENCH_DEVICE inline float fp16_value(Bits16 bits) {
    const Bits32 wide = bits;
    const Bits32 exponent = wide & 0x7c00U;
    const Bits32 sign = (wide & 0x8000U) << 16U;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(wide & 0x3ffU) * 0x1p-24F;
        return float_of(sign | bits_of(magnitude));
    }
    const Bits32 rebias = exponent == 0x7c00U ? 0x70000000U : 0x38000000U;
    return float_of(sign | (((wide & 0x7fffU) << 13U) + rebias));
}

}  // namespace fdkbench
