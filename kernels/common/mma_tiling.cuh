#pragma once

#include "kernels/common/constexpr.cuh"

/// The table of a decoder that looks weights up (TablePairs): an entry for each index of as many
/// weights as give 8 bits, or 4 of 1 bit; 2 or 4 elements an entry, one of 8 bits alone padded
/// to 2.
struct MmaTable {
    int bits;      ///< 8, 4, 2 or 1
    int replicas;  ///< copies of each entry, side by side

    FDK_CONSTEXPR int index_bits() const { return bits == 1 ? 4 : 8; }
    FDK_CONSTEXPR int values() const { return index_bits() / bits; }
    FDK_CONSTEXPR int entry_bytes() const { return values() == 4 ? 8 : 4; }
    FDK_CONSTEXPR int row_bytes() const { return replicas * entry_bytes(); }
    FDK_CONSTEXPR int bytes() const { return row_bytes() << index_bits(); }
};

/// How an mma family cuts its problem: one set of numbers for a kernel and its descriptor (plain
/// C++, so that both compilers read it). Sizes in elements unless named otherwise.
///
///   CTA    tile_n = 16·row_tiles·row_warps rows of w  ×  m_tile rows of x, all of k
///   warp   16·row_tiles rows; every k_warps-th run of `unroll` blocks along k
///   block  16 rows × block_k = 4·run: of each row, lane c = lane % 4 of a quad owns `run`
///          consecutive weights
struct MmaTiling {
    int bits;        ///< 16, 8, 4, 2 or 1
    int group_size;  ///< 0 when bits is 16
    int n;
    int k;
    int row_tiles;     ///< 16-row tiles a warp
    int m_tile;        ///< rows of x a CTA; a multiple of 8
    int row_warps;     ///< warps side by side along n
    int k_warps;       ///< warps that share rows and split k
    int unroll;        ///< blocks a warp keeps in flight
    int stages;        ///< depth of the ring of activations in shared memory; 0: read from memory
    bool scale_first;  ///< scales multiply weights instead of sums of a block
    int table_bytes;   ///< of the decoder's table in shared memory

    FDK_CONSTEXPR int threads() const { return 32 * row_warps * k_warps; }
    FDK_CONSTEXPR int tile_n() const { return 16 * row_tiles * row_warps; }
    FDK_CONSTEXPR int column_blocks() const { return m_tile / 8; }

    /// Each block of sums is multiplied by a scale of its own; without that, scales multiply
    /// weights (scale_first), or the final sums (one group), or are none.
    FDK_CONSTEXPR bool scales_blocks() const { return bits < 16 && group_size < k && !scale_first; }
    FDK_CONSTEXPR bool scales_weights() const { return bits < 16 && group_size < k && scale_first; }
    FDK_CONSTEXPR bool scales_result() const { return bits < 16 && group_size == k; }

    /// 16 bytes' worth, but a block lies inside one group where sums of blocks are scaled, and
    /// stages stay small.
    FDK_CONSTEXPR int run() const {
        int run = 128 / bits;
        if (stages > 0 && run > 16) {
            run = 16;
        }
        if (scales_blocks() && run > power_of_two_in(group_size) / 4) {
            run = power_of_two_in(group_size) / 4;
        }
        return run;
    }
    FDK_CONSTEXPR int run_bytes() const { return run() * bits / 8; }
    FDK_CONSTEXPR int block_k() const { return 4 * run(); }
    /// Runs of 8 weights, which two mma steps consume.
    FDK_CONSTEXPR int chunks() const { return run() / 8; }

    FDK_CONSTEXPR int row_bytes() const {
        return static_cast<int>(static_cast<long long>(k) * bits / 8);
    }
    /// Bytes of one load of weights: rows need not be aligned to run_bytes.
    FDK_CONSTEXPR int load_bytes() const {
        const int aligned = power_of_two_in(row_bytes());
        return aligned < run_bytes() ? aligned : run_bytes();
    }

    /// Weights of a run that share a scale, where scales multiply weights.
    FDK_CONSTEXPR int scale_run() const {
        return run() < power_of_two_in(group_size) ? run() : power_of_two_in(group_size);
    }
    FDK_CONSTEXPR int scales_per_run() const {
        return scales_blocks() ? 1 : scales_weights() ? run() / scale_run() : 0;
    }

    /// Of k, what the CTA's warps consume together between two synchronisations.
    FDK_CONSTEXPR int tile_k() const { return k_warps * unroll * block_k(); }
    FDK_CONSTEXPR int tiles() const { return (k + tile_k() - 1) / tile_k(); }

    /// The activations of one chunk as mma wants them: 32 lanes × 16 bytes for each 8 rows of x.
    /// The padding spreads 8 neighbouring 16-byte pieces of a row of x over all banks.
    FDK_CONSTEXPR int fragment_bytes() const {
        const int padding = run() <= 16 ? 64 : run() == 32 ? 32 : 16;
        return 512 * column_blocks() + padding;
    }
    FDK_CONSTEXPR int stage_bytes() const { return k_warps * unroll * chunks() * fragment_bytes(); }

    /// fp32 partial sums [k_warps, m_tile, tile_n + 4]; the 4 avoid bank conflicts.
    FDK_CONSTEXPR int sums_stride() const { return tile_n() + 4; }
    FDK_CONSTEXPR int sums_bytes() const { return k_warps * m_tile * sums_stride() * 4; }

    FDK_CONSTEXPR int shared_bytes() const {
        const int loop_bytes = table_bytes + stages * stage_bytes();
        return loop_bytes > sums_bytes() ? loop_bytes : sums_bytes();
    }

    /// The largest power of two that divides `value`.
    static FDK_CONSTEXPR int power_of_two_in(int value) { return value & -value; }
};
