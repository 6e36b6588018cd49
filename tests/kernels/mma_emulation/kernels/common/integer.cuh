#pragma once

#include "tests/kernels/mma_emulation/device.hpp"

#include <bit>
#include <cmath>

inline void mma_16x8x32(uint32 (&sums)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
    emulation::mma(emulation::ByteOperands{a, {b0, b1}, sums});
}

inline int add_bytes(int sum, uint32 bytes) {
    for (int i = 0; i < 4; ++i) {
        sum += static_cast<int8>(bytes >> (8 * i));
    }
    return sum;
}

inline float larger_magnitude(float a, float b) {
    return std::isnan(a) || std::isnan(b) ? NAN : std::fmax(std::fabs(a), std::fabs(b));
}

inline uint32 exchange_lanes(uint32 value, int lanes) {
    return emulation::exchange_lanes(value, lanes);
}

inline uint32 float_bits(float value) {
    return std::bit_cast<uint32>(value);
}

inline float multiply_add(float a, float b, float c) {
    return std::fma(a, b, c);
}
