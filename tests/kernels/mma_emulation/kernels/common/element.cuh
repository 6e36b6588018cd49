#pragma once

#include "src/core/half.hpp"
#include "tests/kernels/mma_emulation/device.hpp"

inline constexpr fdkbench::ElementType kEmulatedType = fdkbench::ElementType::kBf16;

inline float to_float(uint16 element) {
    return fdkbench::from_bits16(element, kEmulatedType);
}
inline uint16 to_element(float value) {
    return fdkbench::to_bits16(value, kEmulatedType);
}
