#pragma once

#include "kernels/common/types.cuh"

#include <cstddef>
#include <functional>
#include <vector>

// Enough of a GPU to run the sources of the mma kernels on the host: the threads of a CTA are
// fibers that switch where threads of a warp or a CTA wait for each other, in an order that
// changes from run to run. The headers in kernels/common beside this file stand in for those with
// assembler in them.

#define __device__

struct Index3 {
    int x;
    int y;
};
extern Index3 threadIdx;
extern Index3 blockIdx;

struct uint2 {
    uint32 x;
    uint32 y;
};
struct float4 {
    float x;
    float y;
    float z;
    float w;
};
inline uint2 make_uint2(uint32 x, uint32 y) {
    return {x, y};
}

/// Waits for all threads of the CTA.
void __syncthreads();

template <class T>
constexpr T min(T a, T b) {
    return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
    return a < b ? b : a;
}

namespace emulation {

/// Runs `kernel` once for each of the CTA's threads; `seed` picks the order in which they run.
/// Throws std::logic_error when some wait for others that never come.
void run_cta(Index3 block, int threads, unsigned seed, const std::function<void()>& kernel);

/// What a lane brings to an mma step, and what it takes home.
struct MmaOperands {
    const uint32* a;
    uint32 b[2];
    float* sums;
};
void mma(const MmaOperands& operands);

/// The same for an mma step of bytes: b[2] of four, sums whole.
struct ByteOperands {
    const uint32* a;
    uint32 b[2];
    uint32* sums;
};
void mma(const ByteOperands& operands);

/// The value that the lane brings whose number differs in the bits of `lanes`; the whole warp
/// comes.
uint32 exchange_lanes(uint32 value, int lanes);

/// A copy that may happen at any time until it is waited for: at once, or at the last moment.
void copy_async_16(void* to, const void* from, int valid_bytes);
void commit_async_copies();
void wait_async_copies(int pending);

/// Memory that a kernel may access.
struct Range {
    const void* begin;
    std::size_t bytes;
};
void allow_accesses(std::vector<Range> ranges);
/// Throws std::logic_error when `address` is not a multiple of `bytes` or outside allowed memory.
void check_access(const void* address, int bytes);

}  // namespace emulation
