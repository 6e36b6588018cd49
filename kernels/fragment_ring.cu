// y[m,n] = x[m,k] · w[n,k]ᵀ: weights of 8, 4, 2 or 1 bits in the fragment layout, tensor cores
// (mma), a few rows of x and some dozen.
//
//   x [m,k], codebook [2^bits], y [m,n]: elements of one type; fp32 accumulation
//   w, scales: fragment layout (src/core/fragment.hpp), 512-byte blocks
//
//                   k →  CTA 0 of the cluster: stage 0     stage 1               CTA 1 …
//   16·row_tiles   | k warp 0     | k warp 1 | …     | k warp 0     | …      row warp 0
//   rows of w      | <- chunk: -> |          |       |              |
//                    unroll blocks
//   the next rows  | k warp 0     | …                                        row warp 1
//
// One thread has weights, scales and x copied into a ring, `stages` deep; the other warps multiply.
// Weights are operand A, 8 rows of x at a time operand B. Partial sums over weights with one scale
// begin at zero and are multiplied by it in fp32. Sums of k warps and of the CTAs of a cluster are
// added in shared memory, in a fixed order.
//
// Grid: cluster fastest, row blocks ÷ (row_tiles · row_warps), rows of x ÷ m_tile. What must divide
// what (the descriptor sees to it): k is a multiple of 32, the group size k or a multiple of 32, a
// chunk a multiple of 64, and four groups a multiple of a stage or the other way round; n and m
// need not be multiples of anything.

#include "kernels/common/fragment_decode.cuh"
#include "kernels/common/fragment_ring.cuh"

constexpr FragmentRingTiling kRing = mma_ring(
    {.bits = FDK_BITS, .group_size = FDK_GROUP_SIZE, .n = FDK_N, .k = FDK_K, .unroll = FDK_UNROLL},
    {.m_tile = FDK_M_TILE,
     .row_tiles = FDK_ROW_TILES,
     .row_warps = FDK_ROW_WARPS,
     .k_warps = FDK_K_WARPS,
     .stages = FDK_STAGES,
     .cluster = FDK_CLUSTER});
constexpr FragmentTiling kFormat = kRing.format;
constexpr int kRowTiles = FDK_ROW_TILES;
constexpr int kColumnBlocks = kRing.column_blocks();
constexpr bool kOneGroup = kFormat.one_group();

struct Consumer {
    using Decoder =
        FragmentDecoder<kFormat.bits, kRing.consumers(), FragmentRingTiling::kTableRowBytes>;
    using Sums = float[kRowTiles][kColumnBlocks][4];

    __device__ static int part() { return warp_index() % kRing.k_parts; }
    __device__ static int row_block() { return warp_index() / kRing.k_parts * kRowTiles; }

    /// kGeneral: the decoder's general variant.
    template <bool kGeneral>
    __device__ void sum(const uint8* shared, const Decoder& decoder) {
        RingReader<kRing> reader(shared, row_block(), part());
        const int lane = threadIdx.x % 32;
        // Of the lane's row of 8, the units of two steps; those of the next two are 64 bytes away,
        // up or down.
        const int first = lane % 8 * 128 + (lane / 8 ^ lane % 8) * 16;
#pragma unroll 1
        for (int round = 0; round < kRing.rounds(); ++round) {
            reader.wait();
            const uint32 x[2] = {reader.x() + first, reader.x() + (first ^ 64)};
#pragma unroll
            for (int span = 0; span < kFormat.spans(); ++span) {
                multiply_span<kGeneral>(reader, span, x, decoder);
            }
            __syncwarp();
            if (lane == 0) {
                reader.free();
            }
            reader.next();
        }
    }

    __device__ void put(const RingSums<kRing>& all) const {
#pragma unroll
        for (int i = 0; i < kRowTiles; ++i) {
            all.put(row_block() + i, part(), sums[i][0]);
        }
    }

    template <bool kGeneral>
    __device__ void multiply_span(const RingReader<kRing>& reader,
                                  int span,
                                  const uint32 (&x)[2],
                                  const Decoder& decoder) {
        constexpr bool kSumsOfX = kGeneral && Decoder::kSumsOfX;
        constexpr uint32 kAllOnes[4] = {kPairOfOnes, kPairOfOnes, kPairOfOnes, kPairOfOnes};
        constexpr int kSteps = kFormat.span_steps();
        Sums of_span = {};
        float of_x[kColumnBlocks][4] = {};
        uint32 scales[kRowTiles];
#pragma unroll
        for (int i = 0; i < kRowTiles; ++i) {
            scales[i] = kOneGroup ? kPairOfOnes : reader.scales(i, span);
        }
#pragma unroll
        for (int step = span * kSteps; step < (span + 1) * kSteps; step += 2) {
            uint32 a[kRowTiles][2][4];
#pragma unroll
            for (int i = 0; i < kRowTiles * 2; ++i) {
                if (i % 2 == 0 && step % kFormat.block_steps() == 0) {
                    words[i / 2] = reader.words(i / 2, step / kFormat.block_steps());
                }
                decoder.template operand<kGeneral>(
                    words[i / 2], step % kFormat.block_steps() + i % 2, a[i / 2][i % 2]);
            }
#pragma unroll
            for (int column = 0; column < kColumnBlocks; ++column) {
                const Packed<16> b =
                    load_matrices(x[step / 2 % 2] + step / 4 * kRing.panel_bytes() + column * 1024);
#pragma unroll
                for (int i = 0; i < kRowTiles; ++i) {
                    mma_16x8x16(of_span[i][column], a[i][0], b.words[0], b.words[1]);
                    mma_16x8x16(of_span[i][column], a[i][1], b.words[2], b.words[3]);
                }
                if constexpr (kSumsOfX) {
                    mma_16x8x16(of_x[column], kAllOnes, b.words[0], b.words[1]);
                    mma_16x8x16(of_x[column], kAllOnes, b.words[2], b.words[3]);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < kRowTiles * kColumnBlocks * 4; ++i) {
            const int tile = i / (kColumnBlocks * 4);
            const int column = i / 4 % kColumnBlocks;
            float sum = of_span[tile][column][i % 4];
            if constexpr (kSumsOfX) {
                sum = decoder.result(sum, of_x[column][i % 4]);
            }
            const float scale =
                i % 4 < 2 ? low_to_float(scales[tile]) : high_to_float(scales[tile]);
            sums[tile][column][i % 4] += kOneGroup ? sum : scale * sum;
        }
    }

    Packed<16> words[kRowTiles];  ///< of the block that steps are in
    Sums sums = {};
};

extern "C" __global__ void __launch_bounds__(kRing.threads())
    fragment_ring(const __grid_constant__ TensorMap x_map,
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
