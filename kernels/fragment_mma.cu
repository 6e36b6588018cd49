// y[m,n] = x[m,k] · w[n,k]ᵀ: weights of 8, 4, 2 or 1 bits in the fragment layout, tensor cores, few
// rows of x.
//
//   x [m,k], codebook [2^bits], y [m,n]: elements of one type; fp32 accumulation
//   w, scales: fragment layout (src/core/fragment.hpp)
//
//                   k →  round 0                       round 1
//   16·row_tiles   | k warp 0     | k warp 1 | …     | k warp 0     | …      row warp 0
//   rows of w      | <- chunk: -> |          |       |              |
//                    unroll blocks
//   the next rows  | k warp 0     | …                                        row warp 1
//
// Weights are operand A, 8 rows of x at a time operand B. A lane reads its part of a block with one
// 16-byte load, a chunk ahead. All of x's m_tile rows wait in shared memory; warps meet when pieces
// of it have arrived and when the sums of k warps are added, in a fixed order. Partial sums over
// weights with one scale begin at zero and are multiplied by it in fp32. The codebook and a first
// chunk are asked for before the launches that x comes from have ended. The CTAs of a cluster, each
// with its own rows of w, bring x once for all of them.
//
// Grid: row blocks ÷ (row_tiles · row_warps) in whole clusters, rows of x ÷ m_tile. What must
// divide what (the descriptor sees to it): k is a multiple of 32, the group size k or a multiple of
// 32; n and m need not be multiples of anything.

#include "kernels/common/async_copy.cuh"
#include "kernels/common/cluster.cuh"
#include "kernels/common/dependent_launch.cuh"
#include "kernels/common/fragment_decode.cuh"
#include "kernels/common/fragment_result.cuh"
#include "kernels/common/fragment_tiling.cuh"
#include "kernels/common/fragment_weights.cuh"
#include "kernels/common/tensor_copy.cuh"

constexpr FragmentTiling kFormat{
    .bits = FDK_BITS, .group_size = FDK_GROUP_SIZE, .n = FDK_N, .k = FDK_K, .unroll = FDK_UNROLL};
constexpr FragmentMmaTiling kTiling{.format = kFormat,
                                    .m_tile = FDK_M_TILE,
                                    .row_tiles = FDK_ROW_TILES,
                                    .row_warps = FDK_ROW_WARPS,
                                    .k_warps = FDK_K_WARPS,
                                    .cluster = FDK_CLUSTER};

constexpr int kK = kFormat.k;
constexpr int kChunkK = kFormat.chunk_k();
constexpr int kSpans = kFormat.spans();
constexpr bool kOneGroup = kFormat.one_group();

constexpr int kThreads = kTiling.threads();
constexpr int kRowTiles = kTiling.row_tiles;
constexpr int kKWarps = kTiling.k_warps;
constexpr int kColumnBlocks = kTiling.column_blocks();
constexpr int kRoundK = kTiling.round_k();
constexpr int kRounds = kTiling.rounds();
constexpr int kXStride = kTiling.x_stride_bytes();
constexpr int kPieces = kTiling.x_pieces();
constexpr int kPieceRounds = FragmentTiling::divide_up(kRounds, kPieces);

using Decoder = FragmentDecoder<kFormat.bits, kThreads, FragmentMmaTiling::kTableRowBytes>;
static_assert(Decoder::kBytes == kFormat.table_bytes(FragmentMmaTiling::kTableRowBytes));
using Weights = FragmentWeights<kTiling>;
using Chunk = Weights::Chunk;
using Sums = float[kRowTiles][kColumnBlocks][4];
/// The CTA's first threads that fill the table where it has more; the others bring x. So with
/// dependent launches the table is there before x is.
constexpr int kBuilders = Decoder::kBytes > 0 && kThreads > 256 ? 256 : 0;

/// Rows of x in shared memory, zeros beyond k. Threads bring them for their CTA, or the CTAs of a
/// cluster, where their first threads have a part each copied to all of them.
class Activations {
  public:
    __device__ Activations(const uint16* x, int columns, uint8* shared)
        : x_(x), columns_(columns), shared_(shared + Decoder::kBytes), cta_shared_(shared) {}

    /// Starts to bring all pieces, when the launches that x comes from have ended.
    __device__ void begin() const {
        if constexpr (kTiling.cluster > 1) {
            begin_in_cluster();
        } else if (threadIdx.x >= kBuilders) {
            wait_for_predecessors();
#pragma unroll
            for (int piece = 0; piece < kPieces; ++piece) {
                start(piece);
            }
        }
    }

    /// All threads come here before they read a piece, in turn; what they wrote to shared memory is
    /// seen by all, too.
    __device__ void meet(int piece) const {
        if constexpr (kTiling.cluster > 1) {
            wait_barrier(barrier(piece), 0);
        } else {
            wait_async_copies_but(kPieces - 1 - piece);
        }
        __syncthreads();
    }

    /// Of the lane's rows, for load_matrices(). Columns beyond m repeat the last: their sums are
    /// not kept.
    __device__ uint32 address(int column_block) const {
        const int lane = threadIdx.x % 32;
        return static_cast<uint32>(__cvta_generic_to_shared(shared_)) +
               min(column_block * 8 + lane % 8, columns_ - 1) * kXStride + lane / 8 * 16;
    }

  private:
    static constexpr int kPieceK = kPieceRounds * kRoundK;

    __device__ void start(int piece) const {
        constexpr int kUnits = kPieceK / 8;
        for (int i = threadIdx.x - kBuilders; i < columns_ * kUnits; i += kThreads - kBuilders) {
            const int column = i / kUnits;
            const int k = (piece * kUnits + i % kUnits) * 8;
            if (kRounds % kPieces == 0 || k < kTiling.padded_k()) {
                copy_async_16(shared_ + column * kXStride + k * 2,
                              x_ + static_cast<int64>(column) * kK + min(k, kK - 8),
                              k < kK ? 16 : 0);
            }
        }
        commit_async_copies();
    }

    __device__ void begin_in_cluster() const {
        if (threadIdx.x == kBuilders) {
#pragma unroll
            for (int piece = 0; piece < kPieces; ++piece) {
                init_barrier(barrier(piece), 1);
            }
            publish_barriers();
#pragma unroll
            for (int piece = 0; piece < kPieces; ++piece) {
                arrive_and_expect(barrier(piece), columns_ * bytes(piece));
            }
        }
        __syncwarp();
        arrive_cluster();
        constexpr int kTail = (kTiling.padded_k() - kK) / 8;
        if constexpr (kTail > 0) {
            for (int i = threadIdx.x; i < columns_ * kTail; i += kThreads) {
                const int k = kK + i % kTail * 8;
                *reinterpret_cast<uint4*>(shared_ + i / kTail * kXStride + k * 2) =
                    make_uint4(0, 0, 0, 0);
            }
        }
        wait_cluster();  // all CTAs have their barriers
        if (threadIdx.x == kBuilders) {
            wait_for_predecessors();
            for (int i = blockIdx.x % kTiling.cluster; i < columns_ * kPieces;
                 i += kTiling.cluster) {
                const int column = i % columns_;
                const int piece = i / columns_;
                if (bytes(piece) > 0) {
                    copy_to_cluster<kTiling.cluster>(
                        shared_address(shared_ + column * kXStride + piece * kPieceK * 2),
                        x_ + static_cast<int64>(column) * kK + piece * kPieceK,
                        bytes(piece),
                        barrier(piece));
                }
            }
        }
        __syncwarp();
    }

    /// Of a row's piece, as far as k goes.
    __device__ static int bytes(int piece) {
        return max(min(kPieceK, kK - piece * kPieceK), 0) * 2;
    }
    __device__ uint32 barrier(int piece) const {
        return shared_address(cta_shared_ + kTiling.barriers_begin()) + piece * 8;
    }

    const uint16* x_;
    int columns_;
    uint8* shared_;
    uint8* cta_shared_;
};

/// sums += span · x, with the decoder's general variant if kGeneral; `x` are the addresses of the
/// chunk's first k.
template <bool kGeneral>
__device__ void multiply_span(const Chunk& chunk,
                              int span,
                              const uint32 (&x)[kColumnBlocks],
                              const Decoder& decoder,
                              Sums& sums) {
    constexpr bool kSumsOfX = kGeneral && Decoder::kSumsOfX;
    constexpr uint32 kAllOnes[4] = {kPairOfOnes, kPairOfOnes, kPairOfOnes, kPairOfOnes};
    constexpr int kSteps = kFormat.span_steps();
    Sums of_span = {};
    float of_x[kColumnBlocks][4] = {};
#pragma unroll
    for (int step = span * kSteps; step < (span + 1) * kSteps; step += 2) {
        uint32 a[kRowTiles][2][4];
#pragma unroll
        for (int i = 0; i < kRowTiles * 2; ++i) {
            decoder.template operand<kGeneral>(chunk.weights[i / 2][step / kFormat.block_steps()],
                                               step % kFormat.block_steps() + i % 2,
                                               a[i / 2][i % 2]);
        }
#pragma unroll
        for (int column = 0; column < kColumnBlocks; ++column) {
            const Packed<16> b = load_matrices(x[column] + step * 32);
#pragma unroll
            for (int tile = 0; tile < kRowTiles; ++tile) {
                mma_16x8x16(of_span[tile][column], a[tile][0], b.words[0], b.words[1]);
                mma_16x8x16(of_span[tile][column], a[tile][1], b.words[2], b.words[3]);
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
        float scale = 1;
        if constexpr (!kOneGroup) {
            const uint32 scales = chunk.scale(tile, span);
            scale = i % 4 < 2 ? low_to_float(scales) : high_to_float(scales);
        }
        sums[tile][column][i % 4] += scale * sum;
    }
}

/// Sums over the warp's chunks. `next` is the first of them.
template <bool kGeneral>
__device__ void sum_chunks(const Weights& weights,
                           Chunk& next,
                           const Activations& activations,
                           const Decoder& decoder,
                           Sums& sums) {
    uint32 x[kColumnBlocks];
#pragma unroll
    for (int i = 0; i < kColumnBlocks; ++i) {
        x[i] = activations.address(i) + Weights::k_warp() * kChunkK * 2;
    }
#pragma unroll
    for (int piece = 0; piece < kPieces; ++piece) {
        if (piece > 0) {
            activations.meet(piece);
        }
#pragma unroll 1
        for (int round = piece * kPieceRounds; round < min((piece + 1) * kPieceRounds, kRounds);
             ++round) {
            const Chunk current = next;
            if (round + 1 < kRounds) {
                next = weights.load(round + 1);
            }
#pragma unroll
            for (int span = 0; span < kSpans; ++span) {
                multiply_span<kGeneral>(current, span, x, decoder, sums);
            }
#pragma unroll
            for (int i = 0; i < kColumnBlocks; ++i) {
                x[i] += kRoundK * 2;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(kThreads) fragment_mma(const void* x,
                                                                    const void* w,
                                                                    const void* scales,
                                                                    const void* codebook,
                                                                    void* y,
                                                                    void* /*workspace*/,
                                                                    int m) {
    extern __shared__ __align__(128) uint8 shared[];
    begin_dependents();
    const int m_begin = blockIdx.y * kTiling.m_tile;
    const int columns = min(m - m_begin, kTiling.m_tile);

    Decoder decoder(static_cast<const uint16*>(codebook));
    const Weights weights(w, scales);
    Chunk first = weights.load(0);
    issue_loads();
    const Activations activations(
        static_cast<const uint16*>(x) + static_cast<int64>(m_begin) * kK, columns, shared);
    activations.begin();
    // The same in all threads: decoders with two variants have read all of the codebook.
    const bool needs_general = decoder.build(shared);
    activations.meet(0);

    Sums sums = {};
    const bool general = Decoder::kTwoVariants && needs_general;
    if (general) {
        sum_chunks<Decoder::kTwoVariants>(weights, first, activations, decoder, sums);
    } else {
        sum_chunks<false>(weights, first, activations, decoder, sums);
    }

    __syncthreads();
    const Partials<kTiling.m_tile, kTiling.sums_stride()> partials(shared, columns);
    const int row = Weights::row_warp() * kRowTiles * 16;
#pragma unroll
    for (int i = 0; i < kRowTiles * kColumnBlocks; ++i) {
        const int tile = i / kColumnBlocks;
        partials.put(
            Weights::k_warp(), row + tile * 16, i % kColumnBlocks, sums[tile][i % kColumnBlocks]);
    }
    __syncthreads();
    const Result<kFormat> result(y, scales, m_begin, blockIdx.x * kTiling.rows());
    for (int i = threadIdx.x; i < columns * kTiling.rows(); i += kThreads) {
        const float sum = partials.sum<kKWarps>(i % kTiling.rows(), i / kTiling.rows());
        result.put(
            i % kTiling.rows(), i / kTiling.rows(), general ? sum : decoder.result(sum, 0.0f));
    }
}
