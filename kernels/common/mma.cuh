#pragma once

#include "kernels/common/types.cuh"

// Tensor-core steps and arithmetic on pairs of elements (element.cuh says which type).

/// sums[16,8] += a[16,16] · b[16,8]. With g = lane / 4, c = lane % 4 a lane holds
/// a: rows g, g + 8, g, g + 8 at k 2c, 2c, 2c + 8, 2c + 8; b: k 2c, 2c + 8 of column g (each a pair
/// of neighbours in k); sums: row g at columns 2c, 2c + 1, then row g + 8.
__device__ inline void mma_16x8x16(float (&sums)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
#ifdef FDK_BF16
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
#endif
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// a · b + c, each rounded once.
__device__ inline uint32 multiply_add_pairs(uint32 a, uint32 b, uint32 c) {
    uint32 sum;
#ifdef FDK_BF16
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
#else
    asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
#endif
    return sum;
}

/// Both products, each rounded once.
__device__ inline uint32 multiply_pairs(uint32 a, uint32 b) {
    // Adding −0 changes nothing; a plain bf16 multiplication needs sm_90.
    return multiply_add_pairs(a, b, 0x80008000u);
}

/// Four bytes out of the eight of high:low, one for each of the selector's low four nibbles: bits
/// 0-2 number the byte, bit 3 spreads its sign over the result's byte.
__device__ inline uint32 permute_bytes(uint32 low, uint32 high, uint32 selector) {
    uint32 result;
    asm("prmt.b32 %0, %1, %2, %3;" : "=r"(result) : "r"(low), "r"(high), "r"(selector));
    return result;
}

/// The bits of `word` under the mask, and those of `others`, which are none of them.
__device__ inline uint32 select_bits(uint32 word, uint32 mask, uint32 others) {
    uint32 result;
    asm("lop3.b32 %0, %1, %2, %3, 0xea;" : "=r"(result) : "r"(word), "r"(mask), "r"(others));
    return result;
}

/// The bits of the high half, in both halves: a finite fp16 value times 1, as a shift would take
/// the pipe that decoding fills.
__device__ inline uint32 spread_high_half(uint32 word) {
    uint32 result;
    asm("{\n"
        ".reg .b16 low, high;\n"
        ".reg .b32 both;\n"
        "mov.b32 {low, high}, %1;\n"
        "mov.b32 both, {high, high};\n"
        "fma.rn.f16x2 %0, both, %2, %3;\n"
        "}"
        : "=r"(result)
        : "r"(word), "r"(0x3c003c00u), "r"(0x80008000u));
    return result;
}
