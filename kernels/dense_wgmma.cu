// y[m,n] = x[m,k] · w[n,k]ᵀ: plain weights, tensor cores of Hopper (wgmma), from a few rows of x
// on.
//
//   x [m,k], w [n,k], y [m,n]: elements of one type; fp32 accumulation
//
//                     k →  CTA 0 of the cluster: stage 0       stage 1                 CTA 1 …
//   64·row_warp_groups    | k group 0     | k group 1 | k group 0     | …      row group 0
//   rows of w             | <- chunk: ->  |           |               |
//                           16·unroll
//   the next 64 rows      | k group 0     | …                                  row group 1
//
// One thread has w and x copied into a ring, `stages` deep, from which wgmma takes both. Sums of k
// groups and of the CTAs of a cluster are added in shared memory, in a fixed order.
//
// Grid: cluster fastest, rows of w ÷ (64·row_warp_groups), rows of x ÷ m_tile. What must divide
// what (the descriptor sees to it): k is a multiple of 64, and a chunk is one; n and m need not be
// multiples of anything.

#include "kernels/common/fragment_ring.cuh"

constexpr FragmentRingTiling kRing = wgmma_ring(FragmentTiling::of_plain(FDK_N, FDK_K, FDK_UNROLL),
                                                {.m_tile = FDK_M_TILE,
                                                 .row_warp_groups = FDK_ROW_WARP_GROUPS,
                                                 .k_warp_groups = FDK_K_WARP_GROUPS,
                                                 .stages = FDK_STAGES,
                                                 .cluster = FDK_CLUSTER});
constexpr int kChunkPanels = kRing.format.chunk_k() / 64;
constexpr int kPanelBytes = kRing.rows() * 128;  // of w

/// Nothing to decode.
struct PlainWeights {
    static constexpr int kBytes = 0;
    static constexpr bool kTwoVariants = false;
    __device__ explicit PlainWeights(const uint16* /*codebook*/) {}
    __device__ static bool build(uint8*) { return false; }
    __device__ static float result(float sum, float /*x_sum*/) { return sum; }
};

struct Consumer {
    using Decoder = PlainWeights;

    __device__ static int part() { return warp_index() / 4 % kRing.k_parts; }
    __device__ static int row_group() { return warp_index() / 4 / kRing.k_parts; }

    template <bool kGeneral>
    __device__ void sum(const uint8* shared, const Decoder& /*decoder*/) {
        RingReader<kRing> reader(shared, row_group() * 4, part());
        const int w_begin = part() * kChunkPanels * kPanelBytes + row_group() * 64 * 128;
#pragma unroll 1
        for (int round = 0; round < kRing.rounds(); ++round) {
            reader.wait();
            const uint64 x = swizzled_rows(reader.x());
            const uint64 w = swizzled_rows(reader.weights() + w_begin);
            begin_wgmma();
#pragma unroll
            for (int step = 0; step < kChunkPanels * 4; ++step) {
                const int in_panel = step % 4 * 32;
                wgmma<kRing.m_tile>(sums,
                                    w + (step / 4 * kPanelBytes + in_panel) / 16,
                                    x + (step / 4 * kRing.panel_bytes() + in_panel) / 16);
            }
            commit_wgmma();
            wait_wgmma<1>();
            if (round > 0 && threadIdx.x % 32 == 0) {
                reader.free_last();
            }
            reader.next();
        }
        wait_wgmma<0>();
    }

    __device__ void put(const RingSums<kRing>& all) const {
        all.put(row_group() * 4 + warp_index() % 4, part(), sums);
    }

    float sums[kRing.m_tile / 2] = {};
};

extern "C" __global__ void __launch_bounds__(kRing.threads())
    dense_wgmma(const __grid_constant__ TensorMap x_map,
                const __grid_constant__ TensorMap w_map,
                const void* /*x*/,
                const void* /*w*/,
                const void* scales,
                const void* codebook,
                void* y,
                void* /*workspace*/,
                int m) {
    extern __shared__ __align__(1024) uint8 shared[];
    run_ring<kRing, Consumer>({&x_map, &w_map, nullptr}, scales, codebook, y, m, shared);
}
