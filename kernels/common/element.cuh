#pragma once

#include "kernels/common/types.cuh"

// The element type of x, scales, codebook, y and 16-bit weights: FDK_BF16 or FDK_FP16 says which.
// A pair is two elements in one register, the one with the lower index in the low half.

__device__ inline float as_float(uint32 bits) {
    return __uint_as_float(bits);
}

#ifdef FDK_BF16

__device__ inline float low_to_float(uint32 pair) {
    return as_float(pair << 16);
}
__device__ inline float high_to_float(uint32 pair) {
    return as_float(pair & 0xffff0000u);
}

__device__ inline uint32 to_pair(float low, float high) {
    uint32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

#else

__device__ inline float low_to_float(uint32 pair) {
    float value;
    asm("{ .reg .b16 low, high; mov.b32 {low, high}, %1; cvt.f32.f16 %0, low; }"
        : "=f"(value)
        : "r"(pair));
    return value;
}

__device__ inline float high_to_float(uint32 pair) {
    float value;
    asm("{ .reg .b16 low, high; mov.b32 {low, high}, %1; cvt.f32.f16 %0, high; }"
        : "=f"(value)
        : "r"(pair));
    return value;
}

__device__ inline uint32 to_pair(float low, float high) {
    uint32 pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

#endif

/// Exact.
__device__ inline float to_float(uint16 element) {
    return low_to_float(element);
}

/// Rounds to nearest, ties to even.
__device__ inline uint16 to_element(float value) {
    return static_cast<uint16>(to_pair(value, 0.0f));
}

/// Elements that lie side by side, in kCount ÷ 2 words, rounded up.
template <int kCount>
__device__ inline void unpack(const uint32* words, float (&values)[kCount]) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        values[i] = i % 2 == 0 ? low_to_float(words[i / 2]) : high_to_float(words[i / 2]);
    }
}
