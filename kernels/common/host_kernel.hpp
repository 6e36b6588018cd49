#pragma once

// What every host kernel starts from: its arguments, the problem fixed at compile time, and the
// 16-bit element type. Self-contained, because kernels are compiled where the repository is not.

#include <algorithm>
#include <cstdint>
#include <cstring>

/// Mirrors fdkbench::Arguments. Shapes: x [m,k], w [n, k·bits/8] or 16-bit [n,k],
/// scales [n, k/group_size], codebook [2^bits], y [m,n]; workspace as the family's plan asks.
struct fdkbench_host_arguments {
    const void* x;
    const void* w;
    const void* scales;
    const void* codebook;
    void* y;
    void* workspace;
    std::int32_t m;
};

namespace fdk {

constexpr std::int64_t kN = FDK_N;
constexpr std::int64_t kK = FDK_K;
constexpr int kBits = FDK_BITS;
/// Weights along k that share a scale; a whole row where there are no scales.
constexpr std::int64_t kGroup = FDK_GROUP_SIZE > 0 ? FDK_GROUP_SIZE : FDK_K;
constexpr std::int64_t kGroups = (kK + kGroup - 1) / kGroup;
constexpr std::int64_t kRowBytes = (kK * kBits + 7) / 8;

#ifdef FDK_BF16
constexpr bool kBf16 = true;
#else
constexpr bool kBf16 = false;
#endif

/// Whether a run of `elements` along k, starting at a multiple of itself, stays in one group.
constexpr bool in_one_group(std::int64_t elements) {
    return kGroup == kK || kGroup % elements == 0;
}

inline float float_of(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline std::uint32_t bits_of(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

/// The value of a 16-bit element; exact.
inline float to_float(std::uint16_t element) {
    if constexpr (kBf16) {
        return float_of(std::uint32_t{element} << 16);
    }
    // Shifted into place, the exponent is 112 too small; the product also makes subnormals normal.
    const std::uint32_t magnitude = element & 0x7fffU;
    const std::uint32_t finite = bits_of(float_of(magnitude << 13) * 0x1p112F);
    const std::uint32_t value = magnitude >= 0x7c00U ? 0x7f800000U | magnitude << 13 : finite;
    return float_of(value | (element & 0x8000U) << 16);
}

/// Rounds to nearest, ties to even; a NaN stays one.
inline std::uint16_t to_element(float value) {
    const std::uint32_t bits = bits_of(value);
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    if constexpr (kBf16) {
        if (magnitude > 0x7f800000U) {
            return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
        }
        return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
    }
    std::uint32_t half;
    if (magnitude > 0x7f800000U) {
        half = 0x7e00U;
    } else if (magnitude >= 0x47800000U) {
        half = 0x7c00U;
    } else if (magnitude < 0x38800000U) {
        // Adding 0.5 lets the addition itself round at the subnormals' last bit.
        half = bits_of(float_of(magnitude) + 0.5F) - bits_of(0.5F);
    } else {
        half = (magnitude - 0x38000000U + 0xfffU + (magnitude >> 13 & 1U)) >> 13;
    }
    return static_cast<std::uint16_t>(half | (bits >> 16 & 0x8000U));
}

struct Range {
    std::int64_t begin;
    std::int64_t end;
};

/// Slice number `part` of `count` units cut into `parts` nearly equal slices.
inline Range slice(std::int64_t count, int part, int parts) {
    return {count * part / parts, count * (part + 1) / parts};
}

}  // namespace fdk
