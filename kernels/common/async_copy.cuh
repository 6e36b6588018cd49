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

/// Starts a copy of 4, 8 or 16 bytes; both addresses are multiples of kBytes.
template <int kBytes>
__device__ inline void copy_async(void* to_shared, const void* from) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(
                     static_cast<uint32>(__cvta_generic_to_shared(to_shared))),
                 "l"(from),
                 "n"(kBytes)
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

/// The same, where `pending` (0 … 3) is known once loops are unrolled.
__device__ inline void wait_async_copies_but(int pending) {
    if (pending == 0) {
        wait_async_copies<0>();
    } else if (pending == 1) {
        wait_async_copies<1>();
    } else if (pending == 2) {
        wait_async_copies<2>();
    } else {
        wait_async_copies<3>();
    }
}
