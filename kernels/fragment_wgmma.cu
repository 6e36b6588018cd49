// y[m,n] = x[m,k] · w[n,k]ᵀ: weights of 8, 4, 2 or 1 bits in the fragment layout, tensor cores of
// Hopper (wgmma), some dozen rows of x and more.
//
//   x [m,k], codebook [2^bits], y [m,n]: elements of one type; fp32 accumulation
//   w, scales: fragment layout (src/core/fragment.hpp), 512-byte blocks
//
//                     k →  CTA 0 of the cluster: stage 0       stage 1                 CTA 1 …
//   64·row_warp_groups    | k group 0     | k group 1 | k group 0     | …      row group 0
//   rows of w             | <- chunk: ->  |           |               |
//                           unroll blocks
//   the next 64 rows      | k group 0     | …                                  row group 1
//
// One thread has weights, scales and x copied into a ring, `stages` deep. A warp group holds 64
// rows of decoded, scaled weights in registers, operand A, and takes x, operand B, from the ring.
// Sums of k groups and of the CTAs of a cluster are added in shared memory, in a fixed order.
//
// Grid: cluster fastest, rows of w ÷ (64·row_warp_groups), rows of x ÷ m_tile. What must divide
// what (the descriptor sees to it): k is a multiple of 32, the group size k or a multiple of 32, a
// chunk an even number of batches of steps, and four groups a multiple of a stage or the other way
// round; n and m need not be multiples of anything.

#include "kernels/common/fragment_ring.cuh"
#include "kernels/common/fragment_uniform.cuh"

constexpr FragmentRingTiling kRing = wgmma_ring(
    {.bits = FDK_BITS, .group_size = FDK_GROUP_SIZE, .n = FDK_N, .k = FDK_K, .unroll = FDK_UNROLL},
    {.m_tile = FDK_M_TILE,
     .row_warp_groups = FDK_ROW_WARP_GROUPS,
     .k_warp_groups = FDK_K_WARP_GROUPS,
     .stages = FDK_STAGES,
     .cluster = FDK_CLUSTER});
constexpr FragmentTiling kFormat = kRing.format;
constexpr bool kOneGroup = kFormat.one_group();
constexpr int kBatchSteps = wgmma_batch_steps(kRing.m_tile);
constexpr int kBatches = kFormat.chunk_k() / 16 / kBatchSteps;
// Else the next chunk would begin with registers that steps still read.
static_assert(kBatches % 2 == 0);

struct Consumer {
    using Decoder =
        UniformDecoder<kFormat.bits, kRing.consumers(), FragmentRingTiling::kTableRowBytes>;

    __device__ static int part() { return warp_index() / 4 % kRing.k_parts; }
    __device__ static int row_block() {
        return warp_index() / 4 / kRing.k_parts * 4 + warp_index() % 4;
    }

    template <bool kGeneral>
    __device__ void sum(const uint8* shared, const Decoder& decoder) {
        RingReader<kRing> reader(shared, row_block(), part());
#pragma unroll 1
        for (int round = 0; round < kRing.rounds(); ++round) {
            reader.wait();
            const uint64 x = swizzled_rows(reader.x());
#pragma unroll
            for (int batch = 0; batch < kBatches; ++batch) {
                multiply_batch<kGeneral>(reader, batch, x, decoder);
                // All but this batch are done, those of the last stage, too.
                if (batch == 0 && round > 0 && threadIdx.x % 32 == 0) {
                    reader.free_last();
                }
            }
            reader.next();
        }
        wait_wgmma<0>();
    }

    __device__ void put(const RingSums<kRing>& all) const {
        all.put(row_block(), part(), sums);
    }

    /// Decodes one batch while the one before is multiplied.
    template <bool kGeneral>
    __device__ void multiply_batch(const RingReader<kRing>& reader,
                                   int batch,
                                   uint64 x,
                                   const Decoder& decoder) {
        uint32(&a)[kBatchSteps][4] = operands[batch % 2];
#pragma unroll
        for (int i = 0; i < kBatchSteps; ++i) {
            const int step = batch * kBatchSteps + i;
            if (step % kFormat.block_steps() == 0) {
                words = reader.words(0, step / kFormat.block_steps());
            }
            if (!kOneGroup && step % kFormat.span_steps() == 0) {
                scales = reader.scales(0, step / kFormat.span_steps());
            }
            decoder.template scaled_operand<kGeneral, !kOneGroup>(
                words, step % kFormat.block_steps(), scales, a[i]);
        }
        begin_wgmma();
#pragma unroll
        for (int i = 0; i < kBatchSteps; ++i) {
            const int step = batch * kBatchSteps + i;
            wgmma<kRing.m_tile>(
                sums, a[i], x + (step / 4 * kRing.panel_bytes() + step % 4 * 32) / 16);
        }
        commit_wgmma();
        wait_wgmma<1>();
    }

    Packed<16> words;  ///< of the block that steps are in
    uint32 scales = kPairOfOnes;
    uint32 operands[2][kBatchSteps][4];
    float sums[kRing.m_tile / 2] = {};
};

extern "C" __global__ void __launch_bounds__(kRing.threads())
    fragment_wgmma(const __grid_constant__ TensorMap x_map,
                   const __grid_constant__ TensorMap w_map,
                   const __grid_constant__ TensorMap scales_map,
                   const void* /*x*/,
                   const void* /*w*/,
                   const void* scales,
                   const void* codebook,
                   void* y,
                   void* /*workspace*/,
                   int m) {
    extern __shared__ __align__(1024) uint8 shared[];
    run_ring<kRing, Consumer>({&x_map, &w_map, &scales_map}, scales, codebook, y, m, shared);
}
