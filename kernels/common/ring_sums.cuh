#pragma once

#include "kernels/common/cluster.cuh"
#include "kernels/common/fragment_result.cuh"
#include "kernels/common/ring_stages.cuh"

// From the sums of a CTA's consumers, and of its cluster, to y.

/// Sums on their way to the CTA of the cluster that finishes their rows.
template <FragmentRingTiling kRing>
class RingSums {
  public:
    __device__ RingSums(uint8* shared, int rank, int columns)
        : shared_(shared), rank_(rank), columns_(columns) {}

    /// All warps come here when they have done with the ring.
    __device__ static void meet() {
        if constexpr (kRing.cluster > 1) {
            wait_cluster();  // all CTAs have begun, and have their barriers
            if constexpr (!kRing.sums_apart()) {
                arrive_cluster();
                wait_cluster();
            }
        }
        __syncthreads();
    }

    /// Gives a lane's sums of a row block, [column_blocks][4] in the order of mma_16x8x16.
    __device__ void put(int row_block, int part, const float* sums) const {
        static_assert(kRing.share() % 8 == 0);
        const int lane = threadIdx.x % 32;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = row_block * 16 + half * 8;
            const int owner = row / kRing.share();
            float* own =
                from(owner, rank_) + place(row % kRing.share() + lane / 4, part, lane % 4 * 2);
            const uint32 there = address_in_cluster(shared_address(own), owner);
            const uint32 barrier = address_in_cluster(Addresses::sums(shared_), owner);
#pragma unroll
            for (int i = 0; i < kRing.column_blocks() * 2; ++i) {
                const int column = i / 2 * 8 + i % 2;
                const float sum = sums[i / 2 * 4 + half * 2 + i % 2];
                const int offset = column * kRing.sums_stride();
                if (i / 2 * 8 < columns_) {
                    if (owner == rank_) {
                        own[offset] = sum;
                    } else {
                        store_in_cluster(there + offset * 4, sum, barrier);
                    }
                }
            }
        }
    }

    /// After put: all sums of the CTA's share are there.
    __device__ void wait() const {
        __syncthreads();
        if constexpr (kRing.cluster > 1) {
            wait_cluster_barrier(Addresses::sums(shared_));
        }
    }

    /// The sum of all parts of 4 rows of the CTA's share, in a fixed order.
    __device__ float4 sum(int row, int column) const {
        float4 sum = {};
#pragma unroll
        for (int i = 0; i < kRing.cluster * kRing.k_parts; ++i) {
            const float4 part = *reinterpret_cast<const float4*>(
                from(rank_, i / kRing.k_parts) + place(row, i % kRing.k_parts, column));
            sum.x += part.x;
            sum.y += part.y;
            sum.z += part.z;
            sum.w += part.w;
        }
        return sum;
    }

  private:
    using Addresses = RingAddresses<kRing>;
    __device__ static int place(int row, int part, int column) {
        return (part * kRing.m_tile + column) * kRing.sums_stride() + row;
    }
    /// Where CTA `owner` has the sums of CTA `rank`.
    __device__ float* from(int owner, int rank) const {
        const int other = rank - (rank > owner);
        return reinterpret_cast<float*>(
            shared_ + (rank == owner ? 0 : kRing.others_begin() + other * kRing.sums_bytes()));
    }

    uint8* shared_;
    int rank_;
    int columns_;
};

/// Writes the CTA's share of y; sums are complete if `general`, else the decoder completes them.
template <FragmentRingTiling kRing, class Decoder>
__device__ void finish_rows(const RingSums<kRing>& sums,
                            const Result<kRing.format>& result,
                            int columns,
                            const Decoder& decoder,
                            bool general) {
    constexpr int kQuads = kRing.share() / 4;
#pragma unroll 2
    for (int i = threadIdx.x; i < columns * kQuads; i += kRing.threads()) {
        const int row = i % kQuads * 4;
        float4 sum = sums.sum(row, i / kQuads);
        if (!general) {
            sum = make_float4(decoder.result(sum.x, 0.0f),
                              decoder.result(sum.y, 0.0f),
                              decoder.result(sum.z, 0.0f),
                              decoder.result(sum.w, 0.0f));
        }
        result.put(row, i / kQuads, sum);
    }
}
