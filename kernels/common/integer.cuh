#pragma once

#include "kernels/common/types.cuh"

// Arithmetic on bytes, and the bits of floats as numbers.

/// sums[16,8] += a[16,32] · b[32,8] of unsigned a and signed b. With g = lane / 4, c = lane % 4 a
/// lane holds a: rows g, g + 8, g, g + 8 at k 4c, 4c, 4c + 16, 4c + 16; b: k 4c, 4c + 16 of column
/// g (each four neighbours in k); sums: row g at columns 2c, 2c + 1, then row g + 8.
__device__ inline void mma_16x8x32(uint32 (&sums)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// sum and four signed bytes.
__device__ inline int add_bytes(int sum, uint32 bytes) {
    int result;
    asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(bytes), "r"(0x01010101), "r"(sum));
    return result;
}

/// The larger of two absolute values; NaN where one is NaN.
__device__ inline float larger_magnitude(float a, float b) {
    float result;
    asm("{ .reg .f32 x, y; abs.f32 x, %1; abs.f32 y, %2; max.NaN.f32 %0, x, y; }"
        : "=f"(result)
        : "f"(a), "f"(b));
    return result;
}

/// The value of the lane whose number differs in the bits of `lanes`.
__device__ inline uint32 exchange_lanes(uint32 value, int lanes) {
    return __shfl_xor_sync(~0u, value, lanes);
}

__device__ inline uint32 float_bits(float value) {
    return __float_as_uint(value);
}

__device__ inline float multiply_add(float a, float b, float c) {
    return __fmaf_rn(a, b, c);
}
