#pragma once

#include "kernels/common/async_copy.cuh"
#include "kernels/common/load.cuh"
#include "kernels/common/mma_tiling.cuh"

// Operand B of the mma families: 8 activations of one row of x at a time, at the k of the weights
// that the same lane holds. Beyond k and beyond m activations are zero.

/// 8 activations from `from`, which is x[row, k]; k is a multiple of 8.
template <int kK>
__device__ inline Packed<16> load_activations(const uint16* from, int k, bool row_exists) {
    Packed<16> values = zero_packed<16>();
    if constexpr (kK % 8 == 0) {
        if (row_exists && k < kK) {
            values = load_cached<16>(from);
        }
    } else if (row_exists) {
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const uint32 element = k + i < kK ? from[i] : 0;
            values.words[i / 2] |= element << (16 * (i % 2));
        }
    }
    return values;
}

/// How a CTA comes to its m_tile rows of x:
///   start()            begins
///   enter_tile(tile)   every thread, before it loads from that tile; tiles come in order
///   load(block, block_in_tile, chunk, column_block)
///                      8 activations at the k of the chunk-th 8 weights of the lane's run, of row
///                      8·column_block + lane / 4; blocks count along k, in all and in the tile
template <MmaTiling kT, bool kStaged = (kT.stages > 0)>
class Activations;

/// Reads x through L1, for few rows: a warp's activations are its own, as it owns its part of k.
template <MmaTiling kT>
class Activations<kT, false> {
  public:
    __device__ Activations(const uint16* x, int m_begin, int m, uint8* /*shared*/)
        : rows_left_(m - m_begin - static_cast<int>(threadIdx.x % 32 / 4)),
          run_begin_(static_cast<int>(threadIdx.x % 4) * kT.run()),
          x_(x + static_cast<int64>(m_begin + threadIdx.x % 32 / 4) * kT.k + run_begin_) {}

    __device__ void start() {}
    __device__ void enter_tile(int /*tile*/) {}

    __device__ Packed<16> load(int block,
                               int /*block_in_tile*/,
                               int chunk,
                               int column_block) const {
        const int offset = block * kT.block_k() + chunk * 8;
        const uint16* from = x_ + offset + static_cast<int64>(column_block) * 8 * kT.k;
        // Warps do not go beyond k where it is a multiple of their tile.
        const int k = kT.k % kT.tile_k() == 0 ? 0 : run_begin_ + offset;
        return load_activations<kT.k>(from, k, column_block * 8 < rows_left_);
    }

  private:
    int rows_left_;
    int run_begin_;
    const uint16* x_;
};

/// A ring of tiles [m_tile, tile_k] in shared memory, filled `stages` − 1 tiles ahead and kept in
/// the order in which lanes hold operand B, so that a lane's read is lane · 16 bytes.
template <MmaTiling kT>
class Activations<kT, true> {
  public:
    __device__ Activations(const uint16* x, int m_begin, int m, uint8* shared)
        : x_(x + static_cast<int64>(m_begin) * kT.k), rows_(m - m_begin), shared_(shared) {}

    __device__ void start() {
#pragma unroll
        for (int tile = 0; tile < kT.stages - 1; ++tile) {
            fill(tile);
        }
    }

    __device__ void enter_tile(int tile) {
        wait_async_copies<kT.stages - 2>();
        __syncthreads();
        fill(tile + kT.stages - 1);
        current_ = shared_ + tile % kT.stages * kStageBytes + threadIdx.x % 32 * 16;
    }

    __device__ Packed<16> load(int /*block*/,
                               int block_in_tile,
                               int chunk,
                               int column_block) const {
        const int fragment = block_in_tile * kChunks + chunk;
        return load_shared<16>(current_ + fragment * kFragmentBytes + column_block * 512);
    }

  private:
    static constexpr int kTileK = kT.tile_k();
    static constexpr int kChunks = kT.chunks();
    static constexpr int kFragmentBytes = kT.fragment_bytes();
    static constexpr int kStageBytes = kT.stage_bytes();
    static constexpr int kThreads = kT.threads();
    static constexpr int kTiles = kT.tiles();

    __device__ void fill(int tile) {
        if (tile < kTiles) {
            constexpr int kPiecesPerRow = kTileK / 8;
            constexpr int kPieces = kT.m_tile * kPiecesPerRow;
            uint8* stage = shared_ + tile % kT.stages * kStageBytes;
#pragma unroll 4
            for (int i = threadIdx.x; i < kPieces; i += kThreads) {
                const int row = i / kPiecesPerRow;
                const int piece = i % kPiecesPerRow;
                copy_piece(stage + piece_offset(row, piece), row, tile * kTileK + piece * 8);
            }
        }
        commit_async_copies();
    }

    /// Where the 8 activations x[row, 8·piece …] of a tile belong: block, then the lane of a quad
    /// that owns them, then chunk, from the highest digits of `piece` to the lowest.
    __device__ static int piece_offset(int row, int piece) {
        const int chunk = piece % kChunks;
        const int quad_lane = piece / kChunks % 4;
        const int block = piece / (4 * kChunks);
        return (block * kChunks + chunk) * kFragmentBytes + row / 8 * 512 +
               (row % 8 * 4 + quad_lane) * 16;
    }

    __device__ void copy_piece(uint8* to, int row, int k) {
        const bool row_exists = row < rows_;
        const uint16* from = x_ + static_cast<int64>(row) * kT.k + k;
        if constexpr (kT.k % 8 == 0) {
            const bool exists = row_exists && k < kT.k;
            copy_async_16(to, exists ? from : x_, exists ? 16 : 0);
        } else {
            store(to, load_activations<kT.k>(from, k, row_exists));
        }
    }

    const uint16* x_;
    int rows_;
    uint8* shared_;
    const uint8* current_ = nullptr;
};
