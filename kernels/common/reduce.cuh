#pragma once

#include "kernels/common/element.cuh"
#include "kernels/common/types.cuh"

/// Sum over the 32 lanes of a warp, in every lane; the same order of additions in each.
__device__ inline float warp_sum(float value) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    }
    return value;
}

/// How the warps of a CTA share rows of w: warp i has the rows from (i / kSplitK) · kRows on, for
/// the share i % kSplitK of k.
template <int kWarps, int kSplitK, int kRows, int kMTile>
struct RowSplit {
    static constexpr int kCtaRows = kWarps / kSplitK * kRows;
    static constexpr int kPartials = kWarps * kRows * kMTile;

    /// Adds up `sums` over lanes and over the warps that share rows, and writes y[m,n]. Every
    /// thread of the CTA calls it. `partials` is shared memory for kPartials floats that no warp
    /// uses any more; `n` the rows of w.
    __device__ static void store_sums(
        const float (&sums)[kRows][kMTile], float* partials, uint16* y, int m, int n) {
        const int warp = threadIdx.x / 32;
#pragma unroll
        for (int row = 0; row < kRows; ++row) {
#pragma unroll
            for (int token = 0; token < kMTile; ++token) {
                const float sum = warp_sum(sums[row][token]);
                if (threadIdx.x % 32 == 0) {
                    partials[(warp * kRows + row) * kMTile + token] = sum;
                }
            }
        }
        __syncthreads();
        for (int i = threadIdx.x; i < kCtaRows * kMTile; i += kWarps * 32) {
            const int row = i % kCtaRows;
            const int token = i / kCtaRows;
            const int out_row = blockIdx.x * kCtaRows + row;
            float sum = 0;
#pragma unroll
            for (int share = 0; share < kSplitK; ++share) {
                const int source = (row / kRows * kSplitK + share) * kRows + row % kRows;
                sum += partials[source * kMTile + token];
            }
            if (token < m && out_row < n) {
                y[token * n + out_row] = to_element(sum);
            }
        }
    }
};
