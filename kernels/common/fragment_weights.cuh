#pragma once

#include "kernels/common/fragment_tiling.cuh"
#include "kernels/common/load.cuh"

// Weights of the fragment layout from device memory straight to the registers that use them.

/// A lane's part of the weights and scales of a warp's chunk.
template <FragmentMmaTiling kTiling>
struct FragmentChunk {
    static constexpr int kScalesAtOnce = kTiling.format.scales_at_once();

    Packed<16> weights[kTiling.row_tiles][kTiling.format.unroll];
    Packed<4 * kScalesAtOnce> scales[kTiling.row_tiles][kTiling.format.spans() / kScalesAtOnce];

    /// Of rows lane / 4 (low half) and lane / 4 + 8.
    __device__ uint32 scale(int tile, int span) const {
        return scales[tile][span / kScalesAtOnce].words[span % kScalesAtOnce];
    }
};

/// The rows of a warp.
template <FragmentMmaTiling kTiling>
class FragmentWeights {
  public:
    using Chunk = FragmentChunk<kTiling>;

    __device__ FragmentWeights(const void* w, const void* scales) {
        const int lane = threadIdx.x % 32;
#pragma unroll
        for (int i = 0; i < kTiling.row_tiles; ++i) {
            const int block =
                blockIdx.x * kTiling.row_blocks() + row_warp() * kTiling.row_tiles + i;
            const int64 row_block = min(block, kFormat.row_blocks() - 1);
            w_[i] = static_cast<const uint8*>(w) + row_block * kFormat.blocks() * 512 + lane * 16;
            scales_[i] = static_cast<const uint8*>(scales) +
                         row_block * kFormat.group_quads() * 128 + lane / 4 * 16;
        }
    }

    __device__ static int k_warp() {
        return threadIdx.x / 32 % kTiling.k_warps;
    }
    __device__ static int row_warp() {
        return threadIdx.x / 32 / kTiling.k_warps;
    }

    /// The warp's chunk of a round. Beyond k it repeats the last block: x is zero there.
    __device__ Chunk load(int round) const {
        constexpr int kScalesAtOnce = Chunk::kScalesAtOnce;
        const int k = round * kTiling.round_k() + k_warp() * kFormat.chunk_k();
        Chunk chunk;
#pragma unroll
        for (int i = 0; i < kTiling.row_tiles; ++i) {
#pragma unroll
            for (int j = 0; j < kFormat.unroll; ++j) {
                const int block = min(k / kFormat.block_k() + j, kFormat.blocks() - 1);
                chunk.weights[i][j] = load_streaming<16>(w_[i] + block * 512);
            }
            if constexpr (!kFormat.one_group()) {
#pragma unroll
                for (int j = 0; j < kFormat.spans(); j += kScalesAtOnce) {
                    const int group =
                        min((k + j * kFormat.span_k()) / kFormat.group_size, kFormat.last_group());
                    chunk.scales[i][j / kScalesAtOnce] = load_streaming<4 * kScalesAtOnce>(
                        scales_[i] + group / 4 * 128 + group % 4 * 4);
                }
            }
        }
        return chunk;
    }

    /// Whether rounds are whole and lie a constant distance apart, scales included.
    static constexpr bool kLinear =
        kTiling.padded_k() == kTiling.format.blocks() * kTiling.format.block_k() &&
        (kTiling.format.one_group() || kTiling.round_k() % (4 * kTiling.format.group_size) == 0);

    /// Then load(0) takes what load(rounds) took before: cheaper than to find each round.
    __device__ void advance(int rounds) {
        static_assert(kLinear);
#pragma unroll
        for (int i = 0; i < kTiling.row_tiles; ++i) {
            w_[i] += rounds * kTiling.round_k() / kFormat.block_k() * 512;
            if constexpr (!kFormat.one_group()) {
                scales_[i] += rounds * kTiling.round_k() / (4 * kFormat.group_size) * 128;
            }
        }
    }

  private:
    static constexpr FragmentTiling kFormat = kTiling.format;

    const uint8* w_[kTiling.row_tiles];
    const uint8* scales_[kTiling.row_tiles];
};
