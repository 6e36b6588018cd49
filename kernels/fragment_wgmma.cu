// y[m,n] = x[m,k] · w[n,k]ᵀ: weights of 8, 4, 2 or 1 bits in the fragment layout, tensor cores of
// Hopper (wgmma), a dozen rows of x and more.
//
//   x [m,k], codebook [2^bits], y [m,n]: elements of one type; fp32 accumulation
//   w, scales: fragment layout (src/core/fragment.hpp), 512-byte blocks
//
//                     k →  CTA 0 of the cluster                                    CTA 1 …
//   64·row_warp_groups    | row group 0, k group 0 | k group 1 | k group 0 (next stage) …|
//   rows of w        | row group 1, k group 0 | …                                   |
//                      <- unroll blocks ->
//
// A warp group holds 64 rows of decoded, scaled weights in registers, operand A, and takes x,
// operand B, from shared memory, where all warps bring weights, scales and x through one ring,
// `stages` deep. Sums of k groups and of the CTAs of a cluster are added in shared memory, in a
// fixed order.
//
// Grid: cluster fastest, rows of w ÷ (64·row_warp_groups), rows of x ÷ m_tile. What must divide
// what (the descriptor sees to it): k is a multiple of 32, the group size k or a multiple of 32, a
// chunk of a warp group a multiple of 64; n and m need not be multiples of anything.

#include "kernels/common/async_copy.cuh"
#include "kernels/common/fragment_decode.cuh"
#include "kernels/common/fragment_result.cuh"
#include "kernels/common/fragment_tiling.cuh"
#include "kernels/common/wgmma.cuh"

constexpr FragmentTiling kFormat{
    .bits = FDK_BITS, .group_size = FDK_GROUP_SIZE, .n = FDK_N, .k = FDK_K, .unroll = FDK_UNROLL};
constexpr FragmentWgmmaTiling kTiling{.format = kFormat,
                                      .m_tile = FDK_M_TILE,
                                      .row_warp_groups = FDK_ROW_WARP_GROUPS,
                                      .k_warp_groups = FDK_K_WARP_GROUPS,
                                      .stages = FDK_STAGES,
                                      .cluster = FDK_CLUSTER};

constexpr int kK = kFormat.k;
constexpr int kUnroll = kFormat.unroll;
constexpr int kBlocks = kFormat.blocks();
constexpr int kChunkK = kFormat.chunk_k();
constexpr int kSpans = kFormat.spans();
constexpr bool kOneGroup = kFormat.one_group();

constexpr int kThreads = kTiling.threads();
constexpr int kMTile = kTiling.m_tile;
constexpr int kKWarpGroups = kTiling.k_warp_groups;
constexpr int kStages = kTiling.stages;
constexpr int kCluster = kTiling.cluster;
constexpr int kStageK = kTiling.stage_k();
constexpr int kRounds = kTiling.rounds();
constexpr int kPanels = kTiling.panels();
constexpr int kPanelBytes = kTiling.panel_bytes();
constexpr int kXBytes = kTiling.x_bytes();
constexpr int kWarpBytes = kTiling.warp_bytes();

constexpr int kBatchSteps = 4;  // of a panel of x
constexpr int kBatches = kChunkK / 64;

using Decoder = FragmentDecoder<kFormat.bits, kThreads>;
static_assert(Decoder::kBytes == kFormat.table_bytes());
using Sums = float[kMTile / 2];

__device__ int k_warp_group() {
    return threadIdx.x / 128 % kKWarpGroups;
}
/// The warp's 16 rows among the CTA's.
__device__ int own_row_block() {
    return threadIdx.x / 128 / kKWarpGroups * 4 + threadIdx.x / 32 % 4;
}

/// What a CTA reads, on its way into the ring.
class Source {
  public:
    __device__ Source(
        const void* w, const void* scales, const uint16* x, int columns, int row_block, int k_begin)
        : k_begin_(k_begin), columns_(columns - tile_row()) {
        const int lane = threadIdx.x % 32;
        const int64 block = min(row_block + own_row_block(), kFormat.row_blocks() - 1);
        w_ = static_cast<const uint8*>(w) + block * kBlocks * 512 + lane * 16;
        scales_ = static_cast<const uint8*>(scales) + block * kFormat.group_quads() * 128;
        x_ = x + static_cast<int64>(tile_row()) * kK + k_begin + lane % 8 * 8;
    }

    /// Starts this thread's part of a round. Beyond k, weights are the last block's and x is zero.
    __device__ void start(int round, uint8* stage) const {
        const int k = k_begin_ + round * kStageK + k_warp_group() * kChunkK;
        uint8* own = stage + kXBytes + threadIdx.x / 32 * kWarpBytes;
#pragma unroll
        for (int i = 0; i < kUnroll; ++i) {
            const int block = k / kFormat.block_k() + i;
            copy_async_16(own + i * 512 + threadIdx.x % 32 * 16,
                          w_ + (kWhole ? block : min(block, kBlocks - 1)) * 512,
                          16);
        }
        if constexpr (!kOneGroup) {
            copy_scales(own + kUnroll * 512, k);
        }
        copy_x(stage, round);
    }

  private:
    /// All slices of the cluster's CTAs are inside k.
    static constexpr bool kWhole = kK % (kStageK * kCluster) == 0;

    __device__ void copy_scales(uint8* to, int k) const {
        // The scales of a row lie side by side, four to a quad.
        constexpr int kAtOnce = kFormat.scales_at_once();
        constexpr int kCopies = 8 * kSpans / kAtOnce;
#pragma unroll
        for (int begin = 0; begin < kCopies; begin += 32) {
            const int i = begin + threadIdx.x % 32;
            const int at = i % (kSpans / kAtOnce) * kAtOnce;
            const int row = i / (kSpans / kAtOnce);
            const int group =
                min((k + at * kFormat.span_k()) / kFormat.group_size, kFormat.last_group());
            if (i < kCopies) {
                copy_async<4 * kAtOnce>(to + (row * kSpans + at) * 4,
                                        scales_ + group / 4 * 128 + row * 16 + group % 4 * 4);
            }
        }
    }

    // Two warps copy a tile of 8 rows of x by a panel; tiles go along k first.
    static constexpr int kTiles = kPanels * (kMTile / 8);
    static constexpr int kTilesAtOnce = kThreads / 64;
    static_assert(kTilesAtOnce % kPanels == 0 || kPanels % kTilesAtOnce == 0);
    __device__ static int tile_row() {
        return threadIdx.x % 64 / 8;
    }

    __device__ void copy_x(uint8* to, int round) const {
        const int first = threadIdx.x / 64;
        to += swizzled_offset(tile_row(), threadIdx.x % 8);
#pragma unroll
        for (int begin = 0; begin < kTiles; begin += kTilesAtOnce) {
            // One of these is the first tile's, the other moves by constants.
            int panel = first % kPanels;
            int row = first / kPanels * 8 + begin / kPanels * 8;
            if (kTilesAtOnce % kPanels != 0) {
                panel = first + begin % kPanels;
                row = begin / kPanels * 8;
            }
            const int at = round * kStageK + panel * 64;
            if (row < columns_ && (kTiles % kTilesAtOnce == 0 || begin + first < kTiles)) {
                const uint16* from = x_ + static_cast<int64>(row) * kK + at;
                bool inside = true;
                if constexpr (!kWhole) {
                    inside = k_begin_ + at + static_cast<int>(threadIdx.x % 8) * 8 < kK;
                }
                copy_async_16(
                    to + panel * kPanelBytes + row * 128, inside ? from : x_, inside ? 16 : 0);
            }
        }
    }

    const uint8* w_;
    const uint8* scales_;
    const uint16* x_;
    int k_begin_;
    int columns_;  ///< from tile_row() on
};

/// Operand A of a batch of steps: one batch is decoded while the one before is multiplied.
using Operands = uint32[2][kBatchSteps][4];

/// sums += the warp group's chunk · x of a stage, without waiting for the last batch.
template <bool kShifted>
__device__ void multiply(const uint8* stage, const Decoder& decoder, Operands& a, Sums& sums) {
    const int lane = threadIdx.x % 32;
    const uint8* own = stage + kXBytes + threadIdx.x / 32 * kWarpBytes;
    const uint8* scales_at = own + kUnroll * 512 + lane / 4 * kSpans * 4;
    const uint32 x = static_cast<uint32>(__cvta_generic_to_shared(stage)) +
                     k_warp_group() * kBatches * kPanelBytes;
    Packed<16> words;
    uint32 scales = kPairOfOnes;
#pragma unroll
    for (int batch = 0; batch < kBatches; ++batch) {
        uint32(&operands)[kBatchSteps][4] = a[batch % 2];
#pragma unroll
        for (int i = 0; i < kBatchSteps; ++i) {
            const int step = batch * kBatchSteps + i;
            if (step % kFormat.block_steps() == 0) {
                words = load_shared<16>(own + step / kFormat.block_steps() * 512 + lane * 16);
            }
            if (!kOneGroup && step % kFormat.span_steps() == 0) {
                scales = load_shared<4>(scales_at + step / kFormat.span_steps() * 4).words[0];
            }
            decoder.scaled_operand<kShifted, !kOneGroup>(
                words, step % kFormat.block_steps(), scales, operands[i]);
        }
        begin_wgmma();
#pragma unroll
        for (int i = 0; i < kBatchSteps; ++i) {
            wgmma<kMTile>(sums, operands[i], swizzled_rows(x + batch * kPanelBytes + i * 32));
        }
        commit_wgmma();
        wait_wgmma<1>();
    }
}

template <bool kShifted>
__device__ void sum_slice(const Source& source, uint8* ring, const Decoder& decoder, Sums& sums) {
    Operands a;
    uint8* stage = ring;
    uint8* next = ring + (kStages - 2) * kTiling.stage_bytes();
    const auto after = [&](uint8* slot) {
        return slot == ring + (kStages - 1) * kTiling.stage_bytes() ? ring
                                                                    : slot + kTiling.stage_bytes();
    };
#pragma unroll 1
    for (int round = 0; round < kRounds; ++round) {
        wait_async_copies<kStages - 3>();
        publish_to_wgmma();
        __syncthreads();
        // The stage of two rounds ago: the last batch of one round ago may still be read.
        if (round + kStages - 2 < kRounds) {
            source.start(round + kStages - 2, next);
        }
        commit_async_copies();
        multiply<kShifted>(stage, decoder, a, sums);
        stage = after(stage);
        next = after(next);
        if constexpr (kBatches % 2 == 1) {
            // The next round begins with the registers of the last batch, and without this the
            // compiler would wait for every single step.
            wait_wgmma<0>();
        }
    }
    wait_wgmma<0>();
}

extern "C" __global__ void __launch_bounds__(kThreads) fragment_wgmma(const void* x,
                                                                      const void* w,
                                                                      const void* scales,
                                                                      const void* codebook,
                                                                      void* y,
                                                                      void* /*workspace*/,
                                                                      int m) {
    extern __shared__ __align__(1024) uint8 shared[];
    const int rank = blockIdx.x % kCluster;
    const int row_begin = blockIdx.x / kCluster * kTiling.rows();
    const int m_begin = blockIdx.y * kMTile;
    const int columns = min(m - m_begin, kMTile);
    uint8* ring = shared + Decoder::kBytes;

    Decoder decoder(static_cast<const uint16*>(codebook));
    const Source source(w,
                        scales,
                        static_cast<const uint16*>(x) + static_cast<int64>(m_begin) * kK,
                        columns,
                        row_begin / 16,
                        rank * kTiling.slice_k());
#pragma unroll
    for (int round = 0; round < kStages - 2; ++round) {
        if (round < kRounds) {
            source.start(round, ring + round * kTiling.stage_bytes());
        }
        commit_async_copies();
    }
    decoder.build(shared);

    Sums sums = {};
    const bool shifted = Decoder::kNeedsSums && decoder.needs_sums();
    if (shifted) {
        sum_slice<Decoder::kNeedsSums>(source, ring, decoder, sums);
    } else {
        sum_slice<false>(source, ring, decoder, sums);
    }

    __syncthreads();
    const Partials<kMTile, kTiling.sums_stride()> partials(shared, columns);
#pragma unroll
    for (int i = 0; i < kMTile / 8; ++i) {
        partials.put(k_warp_group(), own_row_block() * 16, i, sums + 4 * i);
    }
    cluster_sync<kCluster>();
    const Result<kFormat> result(y, scales, m_begin, row_begin);
    // Each CTA of the cluster finishes its share of the rows.
    constexpr int kShare = kTiling.rows() / kCluster;
    for (int i = threadIdx.x; i < columns * kShare; i += kThreads) {
        const int row = rank * kShare + i % kShare;
        const float sum = partials.sum<kKWarpGroups, kCluster>(row, i / kShare);
        result.put(row, i / kShare, shifted ? sum : decoder.result(sum, 0.0f));
    }
    if constexpr (kCluster > 1) {
        cluster_sync<kCluster>();
    }
}
