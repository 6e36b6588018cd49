#pragma once

#include "src/core/half.hpp"
#include "tests/kernels/mma_emulation/device.hpp"

#include <bit>

#ifdef FDK_FP16
inline constexpr fdkbench::ElementType kEmulatedType = fdkbench::ElementType::kFp16;
#else
inline constexpr fdkbench::ElementType kEmulatedType = fdkbench::ElementType::kBf16;
#endif

inline float to_float(uint16 element) {
    return fdkbench::from_bits16(element, kEmulatedType);
}
/// What becomes of a float: its element, or half of its bits, so that two runs show what is
/// rounded.
enum class Rounding { kNearest, kUpperBits, kLowerBits };
inline Rounding emulated_rounding = Rounding::kNearest;

inline uint16 to_element(float value) {
    if (emulated_rounding == Rounding::kNearest) {
        return fdkbench::to_bits16(value, kEmulatedType);
    }
    const auto bits = std::bit_cast<uint32>(value);
    return static_cast<uint16>(emulated_rounding == Rounding::kUpperBits ? bits >> 16 : bits);
}
inline uint32 to_pair(float low, float high) {
    return to_element(low) | static_cast<uint32>(to_element(high)) << 16;
}

inline float low_to_float(uint32 pair) {
    return to_float(static_cast<uint16>(pair));
}
inline float high_to_float(uint32 pair) {
    return to_float(static_cast<uint16>(pair >> 16));
}
inline float as_float(uint32 bits) {
    return std::bit_cast<float>(bits);
}

template <int kCount>
void unpack(const uint32* words, float (&values)[kCount]) {
    for (int i = 0; i < kCount; ++i) {
        values[i] = i % 2 == 0 ? low_to_float(words[i / 2]) : high_to_float(words[i / 2]);
    }
}
