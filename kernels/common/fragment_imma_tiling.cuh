#pragma once

#include "kernels/common/fragment_tiling.cuh"

/// kernels/fragment_imma.cu: what fragment_mma does with its rows and k, and x in fixed point.
struct FragmentImmaTiling {
    FragmentMmaTiling warps;  ///< 1 or 2 bits, group_size k or a multiple of 64; m_tile 1, 2 or 4

    /// Of k, what shares an exponent of x.
    static constexpr int kSpanK = 64;
    /// The bytes of the high or low halves of a span of a token, and what undoes the fixed point.
    static constexpr int kPlaneBytes = kSpanK;
    static constexpr int kRecordBytes = 32;

    FDK_CONSTEXPR int spans() const { return warps.padded_k() / kSpanK; }
    /// In the span of a chunk that has one scale.
    FDK_CONSTEXPR int spans_of_scale() const { return warps.format.span_k() / kSpanK; }

    /// CTAs for whose registers an SM must have room, 0: as many as come. The compiler would take
    /// more than the half of them for general codebooks of 1 bit.
    FDK_CONSTEXPR int least_ctas() const {
        const bool many = warps.format.bits == 1 && warps.row_tiles > 1;
        return many && warps.threads() <= 256 ? 512 / warps.threads() : 0;
    }

    /// x in shared memory, [spans]: planes [m_tile][2], records [m_tile]. An odd number of 16 bytes
    /// keeps neighbouring spans in different banks.
    FDK_CONSTEXPR int records_begin() const { return warps.m_tile * 2 * kPlaneBytes; }
    FDK_CONSTEXPR int span_bytes() const {
        return records_begin() + warps.m_tile * kRecordBytes + 16;
    }
    FDK_CONSTEXPR int x_bytes() const { return spans() * span_bytes(); }

    /// The sums of k warps come to stand where x was.
    FDK_CONSTEXPR int shared_bytes() const {
        return x_bytes() > warps.sums_bytes() ? x_bytes() : warps.sums_bytes();
    }
};
