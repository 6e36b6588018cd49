#pragma once

#include "kernels/common/constexpr.cuh"

/// How the kernels for the fragment layout cut its blocks: one set of numbers for a kernel and its
/// descriptor. Sizes in elements unless named otherwise.
struct FragmentTiling {
    int bits;        ///< 8, 4, 2 or 1; 16 for plain weights, which are no blocks but as large
    int group_size;  ///< k, or a multiple of 32
    int n;
    int k;       ///< a multiple of 32
    int unroll;  ///< blocks along k that a warp takes at once: a chunk

    /// A block of the layout has 16 rows and 512 bytes.
    FDK_CONSTEXPR int block_k() const { return 256 / bits; }
    FDK_CONSTEXPR int block_steps() const { return block_k() / 16; }
    FDK_CONSTEXPR int row_blocks() const { return divide_up(n, 16); }
    FDK_CONSTEXPR int blocks() const { return divide_up(k, block_k()); }
    FDK_CONSTEXPR int chunk_k() const { return unroll * block_k(); }

    /// Scales lie in quads of four groups, [8][4][2] elements.
    FDK_CONSTEXPR int groups() const { return k / group_size; }
    FDK_CONSTEXPR int group_quads() const { return divide_up(groups(), 4); }
    FDK_CONSTEXPR bool one_group() const { return groups() == 1; }
    FDK_CONSTEXPR bool plain_weights() const { return bits == 16; }
    /// Whether a row has one scale, by which its sums are multiplied.
    FDK_CONSTEXPR bool row_scales() const { return one_group() && !plain_weights(); }

    /// A span of a chunk has one scale.
    FDK_CONSTEXPR int span_k() const {
        return one_group() ? chunk_k() : common_divisor(group_size, chunk_k());
    }
    FDK_CONSTEXPR int spans() const { return chunk_k() / span_k(); }
    FDK_CONSTEXPR int span_steps() const { return span_k() / 16; }
    /// Scales of a row that one load takes: those of neighbouring groups lie side by side.
    FDK_CONSTEXPR int scales_at_once() const {
        if (span_k() < group_size || spans() % 2 == 1) {
            return 1;
        }
        return spans() % 4 == 0 ? 4 : 2;
    }
    /// The last group from which scales_at_once() may be loaded.
    FDK_CONSTEXPR int last_group() const {
        return (groups() - 1) / scales_at_once() * scales_at_once();
    }

    /// Weights of 16 bits, one group a row.
    static FDK_CONSTEXPR FragmentTiling of_plain(int n, int k, int unroll) {
        return {16, k, n, k, unroll};
    }

    /// Bytes of the decoder's table in shared memory (fragment_decode.cuh).
    FDK_CONSTEXPR int table_bytes(int row_bytes) const {
        return bits >= 4 && !plain_weights() ? 256 * row_bytes : 0;
    }

    static FDK_CONSTEXPR int divide_up(int a, int b) { return (a + b - 1) / b; }
    static FDK_CONSTEXPR int common_divisor(int a, int b) {
        while (b != 0) {
            const int rest = a % b;
            a = b;
            b = rest;
        }
        return a;
    }
};

/// kernels/fragment_mma.cu
struct FragmentMmaTiling {
    FragmentTiling format;
    int m_tile;     ///< rows of x a CTA; any up to 8, beyond that a multiple of 8
    int row_tiles;  ///< 16-row blocks a warp
    int row_warps;  ///< warps side by side along n
    int k_warps;    ///< warps that share rows and split k
    int cluster;    ///< CTAs side by side along n that bring x for each other; 1: none do

    FDK_CONSTEXPR int threads() const { return 32 * row_warps * k_warps; }
    FDK_CONSTEXPR int row_blocks() const { return row_tiles * row_warps; }
    FDK_CONSTEXPR int rows() const { return 16 * row_blocks(); }
    FDK_CONSTEXPR int column_blocks() const { return FragmentTiling::divide_up(m_tile, 8); }

    /// Of k, a chunk for each of k_warps; padded_k is all rounds.
    FDK_CONSTEXPR int round_k() const { return k_warps * format.chunk_k(); }
    FDK_CONSTEXPR int rounds() const { return FragmentTiling::divide_up(format.k, round_k()); }
    FDK_CONSTEXPR int padded_k() const { return rounds() * round_k(); }

    /// x in shared memory, [m_tile][padded_k]: the 16 bytes keep rows in different banks. It
    /// arrives in pieces, so that work begins when the first is there.
    FDK_CONSTEXPR int x_stride_bytes() const { return padded_k() * 2 + 16; }
    FDK_CONSTEXPR int x_bytes() const { return m_tile * x_stride_bytes(); }
    FDK_CONSTEXPR int x_pieces() const { return x_bytes() > 32768 && rounds() >= 4 ? 4 : 1; }

    /// fp32 partial sums [k_warps][m_tile][rows + 4]; the 4 avoid bank conflicts.
    FDK_CONSTEXPR int sums_stride() const { return rows() + 4; }
    FDK_CONSTEXPR int sums_bytes() const { return k_warps * m_tile * sums_stride() * 4; }

    /// Dense rows of the decoder's table leave room for more CTAs on an SM.
    static constexpr int kTableRowBytes = 128;
    FDK_CONSTEXPR int shared_bytes() const {
        return barriers_begin() + (cluster > 1 ? 8 * x_pieces() : 0);
    }
    /// In a cluster, a barrier for each piece of x comes last.
    FDK_CONSTEXPR int barriers_begin() const {
        const int loop_bytes = format.table_bytes(kTableRowBytes) + x_bytes();
        return FragmentTiling::divide_up(loop_bytes > sums_bytes() ? loop_bytes : sums_bytes(), 8) *
               8;
    }
};
