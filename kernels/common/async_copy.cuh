#pragma once

#include "kernels/common/types.cuh"

// Copies from device memory to shared memory that pass no registers.

/// Starts a copy of 16 bytes past L1; of them, `valid_bytes` are read and the rest become zero.
/// Both addresses are multiples of 16.
__device__ inline void copy_async_16(void* to_shared, const void* from, int valid_bytes) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                     static_cast<uint32>(__cvta_generic_to_shared(to_shared))),
                 "l"(from),
                 "r"(valid_bytes)
                 : "memory");
}

/// Closes a group of the copies started since the last one; it may be empty.
__device__ inline void commit_async_copies() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/// Waits until at most the kPending latest groups of this thread are under way.
template <int kPending>
__device__ inline void wait_async_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}
