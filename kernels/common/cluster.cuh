#pragma once

#include "kernels/common/types.cuh"

// CTAs of a cluster, which share their shared memory (compute capability 9.0 and above; a cluster
// of one CTA works everywhere).

/// Every thread of the cluster arrives, and waits before it arrives again. What was written to
/// shared memory before arriving is there after waiting.
__device__ inline void arrive_cluster() {
    asm volatile("barrier.cluster.arrive.release;" ::: "memory");
}
__device__ inline void wait_cluster() {
    asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
}

template <int kSize>
__device__ inline void cluster_sync() {
    if constexpr (kSize == 1) {
        __syncthreads();
    } else {
        arrive_cluster();
        wait_cluster();
    }
}

/// The address of what CTA `rank` of kSize has at the same place in its shared memory.
template <int kSize>
__device__ inline uint32 address_in_cluster(const void* shared, int rank) {
    uint32 address = static_cast<uint32>(__cvta_generic_to_shared(shared));
    if constexpr (kSize > 1) {
        asm("mapa.shared::cluster.u32 %0, %0, %1;" : "+r"(address) : "r"(rank));
    }
    return address;
}

/// Writes to such an address.
template <int kSize>
__device__ inline void store_in_cluster(uint32 address, float value) {
    if constexpr (kSize == 1) {
        asm volatile("st.shared.f32 [%0], %1;" ::"r"(address), "f"(value) : "memory");
    } else {
        asm volatile("st.shared::cluster.f32 [%0], %1;" ::"r"(address), "f"(value) : "memory");
    }
}
