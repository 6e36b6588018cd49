#pragma once

#include "kernels/common/element.cuh"

inline void mma_16x8x16(float (&sums)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
    emulation::mma(emulation::MmaOperands{a, {b0, b1}, sums});
}

inline uint32 multiply_pairs(uint32 a, uint32 b) {
    const auto product = [&](int half) -> uint32 {
        return to_element(to_float(static_cast<uint16>(a >> (16 * half))) *
                          to_float(static_cast<uint16>(b >> (16 * half))));
    };
    return product(0) | product(1) << 16;
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
