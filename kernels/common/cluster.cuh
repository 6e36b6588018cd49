#pragma once

#include "kernels/common/types.cuh"

// CTAs of a cluster, which reach each other's shared memory (compute capability 9.0 and above).

/// Every thread of the cluster arrives, and waits before it arrives again. Arriving hands over
/// nothing that was written to memory: that takes a fence far dearer than the barrier.
__device__ inline void arrive_cluster() {
    asm volatile("barrier.cluster.arrive.relaxed;" ::: "memory");
}
__device__ inline void wait_cluster() {
    asm volatile("barrier.cluster.wait;" ::: "memory");
}

/// Waits until the first phase of a barrier (tensor_copy.cuh) has ended, with what other CTAs
/// wrote.
__device__ inline void wait_cluster_barrier(uint32 barrier) {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "AGAIN:\n"
        "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 done, [%0], 0;\n"
        "@!done bra AGAIN;\n"
        "}" ::"r"(barrier)
        : "memory");
}

/// The address of what CTA `rank` has at the same place in its shared memory.
__device__ inline uint32 address_in_cluster(uint32 shared, int rank) {
    uint32 address;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(shared), "r"(rank));
    return address;
}

/// Starts to write to such an address; the bytes count at a barrier there.
__device__ inline void store_in_cluster(uint32 address, float value, uint32 barrier) {
    asm volatile(
        "st.async.shared::cluster.mbarrier::complete_tx::bytes.f32 [%0], %1, [%2];" ::"r"(address),
        "f"(value),
        "r"(barrier)
        : "memory");
}
