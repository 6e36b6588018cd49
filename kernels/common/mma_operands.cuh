#pragma once

#include "kernels/common/load.cuh"
#include "kernels/common/mma.cuh"

// Operands of mma_16x8x16.

#ifdef FDK_BF16
constexpr uint32 kPairOfOnes = 0x3f803f80u;
#else
constexpr uint32 kPairOfOnes = 0x3c003c00u;
#endif

/// Operand B of two mma steps: four matrices of 8 rows × 16 bytes in shared memory. Lane l has the
/// address of row l % 8 of matrix l / 8; steps need matrices 0, 1 and 2, 3.
__device__ inline Packed<16> load_matrices(uint32 address) {
    Packed<16> b;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(b.words[0]), "=r"(b.words[1]), "=r"(b.words[2]), "=r"(b.words[3])
                 : "r"(address)
                 : "memory");
    return b;
}

/// Operand A times the scales of its rows lane / 4 (low half) and lane / 4 + 8.
__device__ inline void scale_operand(uint32 (&a)[4], uint32 scales) {
    const uint32 first = scales & 0xffffu;
    const uint32 second = scales >> 16;
    a[0] = multiply_pairs(a[0], first | first << 16);
    a[1] = multiply_pairs(a[1], second | second << 16);
    a[2] = multiply_pairs(a[2], first | first << 16);
    a[3] = multiply_pairs(a[3], second | second << 16);
}
