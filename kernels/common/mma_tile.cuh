#pragma once

#include "kernels/common/element.cuh"
#include "kernels/common/mma.cuh"
#include "kernels/common/mma_activations.cuh"
#include "kernels/common/mma_weights.cuh"

// The body of the mma families: y[m,n] = x[m,k] · w[n,k]ᵀ with weights as operand A (16 rows of w)
// and activations as operand B (8 rows of x), so that few rows of x waste little.
//
// An mma step sums over 16 k that may be any, as long as A and B agree. Lane c of a quad therefore
// owns `run` neighbouring weights of its rows, one wide load, and step s takes 4 of each lane:
//
//     k of a block:  |  lane 0: run  |  lane 1: run  |  lane 2: run  |  lane 3: run  |
//                      ^^^^            ^^^^            ^^^^            ^^^^             step 0
//                          ^^^^            ^^^^            ^^^^            ^^^^         step 1
//
// Lane c's slots 2c, 2c + 1, 2c + 8, 2c + 9 of a step are its 4 neighbours. Warps of a CTA:
//
//               k →  block 0 … unroll−1    next unroll blocks
//     row warp 0    | k_warp 0             | k_warp 1          | k_warp 0 …   16·row_tiles rows of
//     w row warp 1    | k_warp 0             | k_warp 1          | …
//                   |<- tile_k = k_warps · unroll · block_k -->|
//
// Partial sums of k_warps are added in shared memory in a fixed order.

/// What a kernel is given, with types.
struct Operands {
    const uint16* x;
    const uint8* w;
    const uint16* scales;
    const uint16* codebook;
    uint16* y;
    int m;
};

template <MmaTiling kT, class Decoder>
class MmaTile {
  public:
    /// Multiplies the CTA's tile; blockIdx.x counts tiles of x fastest. The first kT.table_bytes of
    /// `shared` (kT.shared_bytes()) are the decoder's.
    __device__ static void run(const Operands& operands, uint8* shared) {
        const int m = operands.m;
        const int m_tiles = (m + kT.m_tile - 1) / kT.m_tile;
        const int n_begin = blockIdx.x / m_tiles * kT.tile_n();
        const int m_begin = blockIdx.x % m_tiles * kT.m_tile;

        float sums[kT.row_tiles][kColumnBlocks][4] = {};
        {
            const Weights<kT> weights(
                operands.w, operands.scales, n_begin + row_warp() * 16 * kT.row_tiles);
            Block blocks[kT.unroll];
#pragma unroll
            for (int i = 0; i < kT.unroll; ++i) {
                blocks[i] = weights.load(k_warp() * kT.unroll + i);
            }
            Activations<kT> activations(operands.x, m_begin, m, shared + kT.table_bytes);
            activations.start();
            Decoder::build(shared, operands.codebook, kThreads);
            __syncthreads();
            sum_all_of_k(weights, blocks, activations, Decoder(shared, operands.codebook), sums);
        }
        __syncthreads();
        float* partial = reinterpret_cast<float*>(shared);
        write_sums(sums, partial);
        __syncthreads();
        write_result(partial, operands, n_begin, m_begin);
    }

  private:
    using Block = WeightBlock<kT>;
    static constexpr int kColumnBlocks = kT.column_blocks();
    static constexpr int kChunks = kT.chunks();
    /// Chunks decoded before they are used: sums of a block need all of them for each column block.
    static constexpr int kSpan = kT.scales_blocks() ? kChunks : 1;
    static constexpr int kThreads = kT.threads();
    static constexpr int kTileN = kT.tile_n();
    static constexpr int kSumsStride = kT.sums_stride();
    static constexpr int kTiles = kT.tiles();

    /// A of two mma steps, for 16 rows.
    struct Operand {
        uint32 steps[2][4];
    };

    __device__ static int k_warp() {
        return threadIdx.x / 32 % kT.k_warps;
    }
    __device__ static int row_warp() {
        return threadIdx.x / 32 / kT.k_warps;
    }

    __device__ static void sum_all_of_k(const Weights<kT>& weights,
                                        Block (&blocks)[kT.unroll],
                                        Activations<kT>& activations,
                                        const Decoder& decoder,
                                        float (&sums)[kT.row_tiles][kColumnBlocks][4]) {
        for (int tile = 0; tile < kTiles; ++tile) {
            activations.enter_tile(tile);
#pragma unroll
            for (int i = 0; i < kT.unroll; ++i) {
                const int block_in_tile = k_warp() * kT.unroll + i;
                const int block = tile * (kT.k_warps * kT.unroll) + block_in_tile;
                const Block current = blocks[i];
                blocks[i] = weights.load(block + kT.k_warps * kT.unroll);
                sum_block(current, decoder, sums, [&](int chunk, int column_block) {
                    return activations.load(block, block_in_tile, chunk, column_block);
                });
            }
        }
    }

    /// sums += 16·row_tiles rows × block_k of weights · activations; activations_at(chunk, column
    /// block) reads the latter.
    template <class ActivationsAt>
    __device__ static void sum_block(const Block& block,
                                     const Decoder& decoder,
                                     float (&sums)[kT.row_tiles][kColumnBlocks][4],
                                     ActivationsAt activations_at) {
#pragma unroll
        for (int begin = 0; begin < kChunks; begin += kSpan) {
            Operand a[kSpan][kT.row_tiles];
#pragma unroll
            for (int i = 0; i < kSpan * kT.row_tiles; ++i) {
                const int row_tile = i % kT.row_tiles;
                a[i / kT.row_tiles][row_tile] =
                    operand(block, decoder, row_tile, begin + i / kT.row_tiles);
            }
#pragma unroll
            for (int column_block = 0; column_block < kColumnBlocks; ++column_block) {
                float of_span[kT.row_tiles][4] = {};
#pragma unroll
                for (int i = 0; i < kSpan; ++i) {
                    const Packed<16> b = activations_at(begin + i, column_block);
#pragma unroll
                    for (int row_tile = 0; row_tile < kT.row_tiles; ++row_tile) {
                        float(&to)[4] =
                            kT.scales_blocks() ? of_span[row_tile] : sums[row_tile][column_block];
                        const Operand& weights = a[i][row_tile];
                        mma_16x8x16(to, weights.steps[0], b.words[0], b.words[1]);
                        mma_16x8x16(to, weights.steps[1], b.words[2], b.words[3]);
                    }
                }
                if constexpr (kT.scales_blocks()) {
#pragma unroll
                    for (int i = 0; i < kT.row_tiles * 4; ++i) {
                        const float scale = to_float(block.scales[i / 4][i / 2 % 2][0]);
                        sums[i / 4][column_block][i % 4] += scale * of_span[i / 4][i % 4];
                    }
                }
            }
        }
    }

    __device__ static Operand operand(const Block& block,
                                      const Decoder& decoder,
                                      int row_tile,
                                      int chunk) {
        Operand a;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            uint32 pairs[4];
            decoder.decode8(block.runs[row_tile][half], chunk, pairs);
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                if constexpr (kT.scales_weights()) {
                    const uint32 scale = block.scales[row_tile][half][chunk * 8 / kT.scale_run()];
                    pairs[i] = multiply_pairs(pairs[i], scale | scale << 16);
                }
                a.steps[i / 2][i % 2 * 2 + half] = pairs[i];
            }
        }
        return a;
    }

    /// To [k_warps, m_tile, tile_n + padding].
    __device__ static void write_sums(const float (&sums)[kT.row_tiles][kColumnBlocks][4],
                                      float* partial) {
        const int lane = threadIdx.x % 32;
        const int row = row_warp() * 16 * kT.row_tiles + lane / 4;
        const int column = k_warp() * kT.m_tile + lane % 4 * 2;
#pragma unroll
        for (int row_tile = 0; row_tile < kT.row_tiles; ++row_tile) {
#pragma unroll
            for (int column_block = 0; column_block < kColumnBlocks; ++column_block) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    partial[(column + column_block * 8 + i % 2) * kSumsStride + row +
                            row_tile * 16 + i / 2 * 8] = sums[row_tile][column_block][i];
                }
            }
        }
    }

    __device__ static void write_result(const float* partial,
                                        const Operands& operands,
                                        int n_begin,
                                        int m_begin) {
        const int rows_left = operands.m - m_begin;
        const int columns = rows_left < kT.m_tile ? rows_left : kT.m_tile;
        for (int i = threadIdx.x; i < columns * kTileN; i += kThreads) {
            const int row = i % kTileN;
            const int column = i / kTileN;
            if (n_begin + row < kT.n) {
                float sum = 0;
#pragma unroll
                for (int part = 0; part < kT.k_warps; ++part) {
                    sum += partial[(part * kT.m_tile + column) * kSumsStride + row];
                }
                if constexpr (kT.scales_result()) {
                    sum *= to_float(operands.scales[n_begin + row]);
                }
                const int64 at = static_cast<int64>(m_begin + column) * kT.n + n_begin + row;
                operands.y[at] = to_element(sum);
            }
        }
    }
};
