#pragma once

#include "kernels/common/types.cuh"

// Copies of boxes of a tensor into shared memory by the tensor memory accelerator, and the barriers
// in shared memory that tell when they have arrived (compute capability 9.0 and above).

/// Describes a tensor in device memory and the box that one copy takes (the driver encodes it).
struct alignas(64) TensorMap {
    uint64 opaque[16];
};

/// Has the device read the description, so that the first copy need not wait for it.
__device__ inline void prefetch_map(const TensorMap* map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

__device__ inline uint32 shared_address(const void* pointer) {
    return static_cast<uint32>(__cvta_generic_to_shared(pointer));
}

/// A phase of the barrier at this address in shared memory ends after so many arrivals.
__device__ inline void init_barrier(uint32 barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals)
                 : "memory");
}

/// Behind init_barrier: copies and other CTAs of the cluster see the barriers.
__device__ inline void publish_barriers() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ inline void arrive(uint32 barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/// Arrives, and has the phase end only when copies have brought so many bytes, too.
__device__ inline void arrive_and_expect(uint32 barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
                 : "memory");
}

/// Waits until the phase of this parity (the first is 0) has ended.
__device__ inline void wait_barrier(uint32 barrier, uint32 parity) {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "AGAIN:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra AGAIN;\n"
        "}" ::"r"(barrier),
        "r"(parity)
        : "memory");
}

/// Starts to copy bytes that follow each other, a multiple of 16 as both addresses are, to the same
/// place in the shared memory of all CTAs of a cluster of kCluster, where they count at the same
/// barrier.
template <int kCluster>
__device__ inline void copy_to_cluster(uint32 to, const void* from, int bytes, uint32 barrier) {
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
        "[%0], [%1], %2, [%3], %4;" ::"r"(to),
        "l"(from),
        "r"(bytes),
        "r"(barrier),
        "h"(static_cast<uint16>((1 << kCluster) - 1))
        : "memory");
}

/// Starts to copy the box at these coordinates (in elements, fastest first) to an address in shared
/// memory that is a multiple of 128; its bytes count at the barrier. What lies outside the tensor
/// is zero.
__device__ inline void copy_box(
    uint32 to, const TensorMap* map, int at0, int at1, int at2, uint32 barrier) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%2, %3, %4}], [%5];" ::"r"(to),
        "l"(map),
        "r"(at0),
        "r"(at1),
        "r"(at2),
        "r"(barrier)
        : "memory");
}
