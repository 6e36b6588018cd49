#pragma once

#include "kernels/common/element.cuh"

inline void mma_16x8x16(float (&sums)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
    emulation::mma(emulation::MmaOperands{a, {b0, b1}, sums});
}

/// Exact before it is rounded: elements have at most 11 bits.
inline uint32 multiply_add_pairs(uint32 a, uint32 b, uint32 c) {
    const auto half = [](uint32 pair, int i) -> double {
        return to_float(static_cast<uint16>(pair >> (16 * i)));
    };
    const auto sum = [&](int i) -> uint32 {
        return to_element(static_cast<float>(half(a, i) * half(b, i) + half(c, i)));
    };
    return sum(0) | sum(1) << 16;
}

inline uint32 multiply_pairs(uint32 a, uint32 b) {
    return multiply_add_pairs(a, b, 0x80008000u);
}

inline uint32 select_bits(uint32 word, uint32 mask, uint32 others) {
    return (word & mask) | others;
}

inline uint32 spread_high_half(uint32 word) {
    return word >> 16 | (word & 0xffff0000u);
}

inline uint32 permute_bytes(uint32 low, uint32 high, uint32 selector) {
    const uint64 bytes = low | static_cast<uint64>(high) << 32;
    uint32 result = 0;
    for (int i = 0; i < 4; ++i) {
        const uint32 nibble = selector >> (4 * i) & 15;
        uint32 byte = static_cast<uint32>(bytes >> (nibble % 8 * 8)) & 0xff;
        if (nibble >= 8) {
            byte = byte >= 0x80 ? 0xff : 0;
        }
        result |= byte << (8 * i);
    }
    return result;
}
