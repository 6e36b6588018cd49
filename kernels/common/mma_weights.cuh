#pragma once

#include "kernels/common/load.cuh"
#include "kernels/common/mma_tiling.cuh"

/// What a lane holds of one block of weights: of each of its rows (16·tile + lane / 4 and 8 below)
/// a run of packed weights, and the scales that belong to it.
template <MmaTiling kT>
struct WeightBlock {
    static constexpr int kRunBytes = kT.run_bytes();
    static constexpr int kScales = kT.scales_per_run();

    Packed<kRunBytes> runs[kT.row_tiles][2];
    uint16 scales[kT.row_tiles][2][kScales > 0 ? kScales : 1];
};

/// Operand A of the mma families, in memory: w [n, k·bits/8], scales [n, k/group_size]. Rows
/// beyond n repeat the last one; blocks beyond k are zero, their scales too.
template <MmaTiling kT>
class Weights {
  public:
    using Block = WeightBlock<kT>;

    /// n_begin: first row of the warp.
    __device__ Weights(const uint8* w, const uint16* scales, int n_begin)
        : run_begin_(static_cast<int>(threadIdx.x % 4) * kRunBytes) {
        const int first_row = n_begin + static_cast<int>(threadIdx.x % 32 / 4);
        const int64 existing = existing_row(first_row);
        w_ = w + existing * kRowBytes + run_begin_;
        scales_ = scales + existing * kGroups;
#pragma unroll
        for (int i = 0; i < kRows; ++i) {
            row_steps_[i] = kRowsExist ? 8 * i : existing_row(first_row + 8 * i) - existing;
        }
    }

    /// `block` counts along k.
    __device__ Block load(int block) const {
        Block loaded;
#pragma unroll
        for (int i = 0; i < kRows; ++i) {
            loaded.runs[i / 2][i % 2] = load_run(block, row_steps_[i]);
#pragma unroll
            for (int j = 0; j < kScales; ++j) {
                loaded.scales[i / 2][i % 2][j] = load_scale(block, j, row_steps_[i]);
            }
        }
        return loaded;
    }

  private:
    static constexpr int kRows = 2 * kT.row_tiles;
    static constexpr bool kRowsExist = kT.n % kT.tile_n() == 0;
    static constexpr int kBlockK = kT.block_k();
    static constexpr int kRunBytes = kT.run_bytes();
    static constexpr int kRowBytes = kT.row_bytes();
    static constexpr int kLoadBytes = kT.load_bytes();
    static constexpr int kScales = kT.scales_per_run();
    static constexpr int kGroupSize = kScales > 0 ? kT.group_size : kT.k;
    static constexpr int kGroups = kT.k / kGroupSize;

    __device__ static int64 existing_row(int row) {
        return kRowsExist || row < kT.n ? row : kT.n - 1;
    }

    __device__ static Packed<kLoadBytes> load_once(const uint8* address) {
        // A quad that reads less than a sector leaves the rest to the next blocks.
        if constexpr (4 * kLoadBytes >= 32 || kLoadBytes == 1) {
            return load_streaming<kLoadBytes>(address);
        } else {
            return load_cached<kLoadBytes>(address);
        }
    }

    __device__ Packed<kRunBytes> load_run(int block, int64 row_step) const {
        Packed<kRunBytes> run = zero_packed<kRunBytes>();
        const int offset = block * (4 * kRunBytes);
        const uint8* address = w_ + offset + row_step * kRowBytes;
#pragma unroll
        for (int byte = 0; byte < kRunBytes; byte += kLoadBytes) {
            if (run_begin_ + offset + byte < kRowBytes) {
                const Packed<kLoadBytes> part = load_once(address + byte);
#pragma unroll
                for (int i = 0; i < Packed<kLoadBytes>::kWords; ++i) {
                    run.words[byte / 4 + i] |= part.words[i] << (byte % 4 * 8);
                }
            }
        }
        return run;
    }

    __device__ uint16 load_scale(int block, int index, int64 row_step) const {
        int k = block * kBlockK;
        if constexpr (kT.scales_weights()) {
            k += run_begin_ * 8 / kT.bits + index * kT.scale_run();
        }
        if (k >= kT.k) {
            return 0;
        }
        const uint16* address = scales_ + k / kGroupSize + row_step * kGroups;
        return static_cast<uint16>(load_cached<2>(address).words[0]);
    }

    int run_begin_;  ///< bytes
    const uint8* w_;
    const uint16* scales_;
    int64 row_steps_[kRows];  ///< rows between the lane's first and its others
};
