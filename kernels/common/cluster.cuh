#pragma once

#include "kernels/common/types.cuh"

// CTAs of a cluster, which share their shared memory (compute capability 9.0 and above; a cluster
// of one CTA works everywhere).

/// Waits for every thread of the cluster's kSize CTAs, with what they wrote to shared memory.
template <int kSize>
__device__ inline void cluster_sync() {
    if constexpr (kSize == 1) {
        __syncthreads();
    } else {
        asm volatile(
            "barrier.cluster.arrive.release.aligned;\n"
            "barrier.cluster.wait.acquire.aligned;" ::
                : "memory");
    }
}

/// What CTA `rank` of kSize has at the same place in its shared memory.
template <int kSize>
__device__ inline float load_of_cluster(const float* shared, int rank) {
    if constexpr (kSize == 1) {
        return *shared;
    } else {
        float value;
        asm volatile(
            "{\n"
            ".reg .u32 there;\n"
            "mapa.shared::cluster.u32 there, %1, %2;\n"
            "ld.shared::cluster.f32 %0, [there];\n"
            "}"
            : "=f"(value)
            : "r"(static_cast<uint32>(__cvta_generic_to_shared(shared))), "r"(rank)
            : "memory");
        return value;
    }
}
