#pragma once

#include "kernels/common/types.cuh"

/// kBytes (1, 2, 4, 8 or 16) of memory in registers, little-endian; the rest of a word is zero.
template <int kBytes>
struct Packed {
    static constexpr int kWords = (kBytes + 3) / 4;
    uint32 words[kWords];
};

/// Reads what this launch needs once (weights): past L1, so that it keeps the activations.
/// `address` is a multiple of kBytes. Volatile and not `.nc`, because the compiler moves such loads
/// down to their first use: issue_loads() can hold these, not those.
template <int kBytes>
__device__ inline Packed<kBytes> load_streaming(const void* address) {
    Packed<kBytes> value;
    if constexpr (kBytes == 16) {
        asm volatile(
            "ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
            : "=r"(value.words[0]), "=r"(value.words[1]), "=r"(value.words[2]), "=r"(value.words[3])
            : "l"(address));
    } else if constexpr (kBytes == 8) {
        asm volatile("ld.global.L1::no_allocate.v2.u32 {%0, %1}, [%2];"
                     : "=r"(value.words[0]), "=r"(value.words[1])
                     : "l"(address));
    } else if constexpr (kBytes == 4) {
        asm volatile("ld.global.L1::no_allocate.u32 %0, [%1];"
                     : "=r"(value.words[0])
                     : "l"(address));
    } else if constexpr (kBytes == 2) {
        uint16 half;
        asm volatile("ld.global.L1::no_allocate.u16 %0, [%1];" : "=h"(half) : "l"(address));
        value.words[0] = half;
    } else {
        static_assert(kBytes == 1, "no such load");
        asm volatile("ld.global.L1::no_allocate.u8 %0, [%1];"
                     : "=r"(value.words[0])
                     : "l"(address));
    }
    return value;
}

/// Loads before this point are issued before what follows it: they are in flight meanwhile.
__device__ inline void issue_loads() {
    __syncwarp();
}

/// Reads what other warps read too (activations, scales, codebook) through L1.
template <int kBytes>
__device__ inline Packed<kBytes> load_cached(const void* address) {
    Packed<kBytes> value;
    if constexpr (kBytes == 16) {
        asm("ld.global.nc.v4.u32 {%0, %1, %2, %3}, [%4];"
            : "=r"(value.words[0]), "=r"(value.words[1]), "=r"(value.words[2]), "=r"(value.words[3])
            : "l"(address));
    } else if constexpr (kBytes == 8) {
        asm("ld.global.nc.v2.u32 {%0, %1}, [%2];"
            : "=r"(value.words[0]), "=r"(value.words[1])
            : "l"(address));
    } else if constexpr (kBytes == 4) {
        asm("ld.global.nc.u32 %0, [%1];" : "=r"(value.words[0]) : "l"(address));
    } else {
        static_assert(kBytes == 2, "no such load");
        uint16 half;
        asm("ld.global.nc.u16 %0, [%1];" : "=h"(half) : "l"(address));
        value.words[0] = half;
    }
    return value;
}

template <int kBytes>
__device__ inline Packed<kBytes> zero_packed() {
    Packed<kBytes> value;
#pragma unroll
    for (int i = 0; i < Packed<kBytes>::kWords; ++i) {
        value.words[i] = 0;
    }
    return value;
}

template <int kBytes>
__device__ inline Packed<kBytes> load_shared(const void* address) {
    Packed<kBytes> value;
    if constexpr (kBytes == 16) {
        const uint4 words = *static_cast<const uint4*>(address);
        value.words[0] = words.x;
        value.words[1] = words.y;
        value.words[2] = words.z;
        value.words[3] = words.w;
    } else if constexpr (kBytes == 8) {
        const uint2 words = *static_cast<const uint2*>(address);
        value.words[0] = words.x;
        value.words[1] = words.y;
    } else if constexpr (kBytes == 4) {
        value.words[0] = *static_cast<const uint32*>(address);
    } else {
        static_assert(kBytes == 2, "no such load");
        value.words[0] = *static_cast<const uint16*>(address);
    }
    return value;
}

/// To shared or global memory.
template <int kBytes>
__device__ inline void store(void* address, const Packed<kBytes>& value) {
    if constexpr (kBytes == 16) {
        *static_cast<uint4*>(address) =
            make_uint4(value.words[0], value.words[1], value.words[2], value.words[3]);
    } else if constexpr (kBytes == 8) {
        *static_cast<uint2*>(address) = make_uint2(value.words[0], value.words[1]);
    } else if constexpr (kBytes == 4) {
        *static_cast<uint32*>(address) = value.words[0];
    } else {
        static_assert(kBytes == 2, "no such store");
        *static_cast<uint16*>(address) = static_cast<uint16>(value.words[0]);
    }
}
