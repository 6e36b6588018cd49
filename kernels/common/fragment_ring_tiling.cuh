#pragma once

#include "kernels/common/fragment_tiling.cuh"

/// How kernels cut a product whose operands come through a ring in shared memory, filled by tensor
/// copies (fragment_ring.cuh): one set of numbers for a kernel and its descriptor.
///
/// A stage of the ring holds x in panels of 64 along k, [m_tile][128 bytes] each, then weights,
/// [row_blocks][stage_blocks][512]; plain weights are panels as x is, [rows][128 bytes]. Scales
/// come in whole quads of groups, [row_blocks][quads][128], a slot of their own ring for one stage
/// or for several.
struct FragmentRingTiling {
    FragmentTiling format;
    int m_tile;          ///< rows of x a CTA, a multiple of 8
    int row_blocks;      ///< 16-row blocks of w a CTA
    int k_parts;         ///< consumers that share rows and split a stage along k, a chunk each
    int consumer_warps;  ///< beside those of the producer
    int stages;
    int cluster;  ///< CTAs that share rows and split k

    /// Where sums take most registers, the producer is a warp group: those give registers away.
    FDK_CONSTEXPR bool gives_registers() const {
        return m_tile >= 128 && (consumer_warps == 8 || consumer_warps == 16);
    }
    FDK_CONSTEXPR int producer_warps() const { return gives_registers() ? 4 : 1; }
    FDK_CONSTEXPR int consumers() const { return 32 * consumer_warps; }
    FDK_CONSTEXPR int threads() const { return consumers() + 32 * producer_warps(); }
    FDK_CONSTEXPR int rows() const { return 16 * row_blocks; }
    FDK_CONSTEXPR int column_blocks() const { return m_tile / 8; }

    FDK_CONSTEXPR int stage_k() const { return k_parts * format.chunk_k(); }
    FDK_CONSTEXPR int stage_blocks() const { return k_parts * format.unroll; }
    FDK_CONSTEXPR int panels() const { return stage_k() / 64; }
    FDK_CONSTEXPR int panel_bytes() const { return m_tile * 128; }
    FDK_CONSTEXPR int x_bytes() const { return panels() * panel_bytes(); }
    /// Rows of x that a copy brings: m where that is less than a tile, in eights, since zeros
    /// beyond m take copies longer than rows; what stands behind them is multiplied with columns
    /// that nobody keeps. Tiles of few rows always come whole, by one copy.
    FDK_CONSTEXPR int x_row_step() const { return m_tile > 16 ? 8 : m_tile; }
    FDK_CONSTEXPR int x_rows(int m) const {
        const int rows = FragmentTiling::divide_up(m, x_row_step()) * x_row_step();
        return x_row_step() < m_tile && rows < m_tile ? rows : m_tile;
    }
    /// Where k ends with a whole panel, x is [panels][m][64] to copies, and one takes all panels of
    /// a stage, if it has all rows of a tile, so that panels follow each other without gaps; else
    /// it is [m][k], and one takes a panel.
    FDK_CONSTEXPR bool whole_panels() const { return format.k % 64 == 0; }
    FDK_CONSTEXPR int box_panels() const { return whole_panels() ? panels() : 1; }
    FDK_CONSTEXPR int weight_bytes() const { return row_blocks * stage_blocks() * 512; }
    FDK_CONSTEXPR int stage_bytes() const {
        return FragmentTiling::divide_up(x_bytes() + weight_bytes(), 1024) * 1024;
    }

    /// Whether chunks are whole panels, and stages whole quads or equal parts of one.
    FDK_CONSTEXPR bool divides() const {
        return format.chunk_k() % 64 == 0 &&
               (format.one_group() || quad_k() % stage_k() == 0 || stage_k() % quad_k() == 0);
    }
    FDK_CONSTEXPR int quad_k() const { return 4 * format.group_size; }
    /// Stages that share a slot of scales, and quads a slot.
    FDK_CONSTEXPR int quad_stages() const {
        return !format.one_group() && quad_k() > stage_k() ? quad_k() / stage_k() : 1;
    }
    FDK_CONSTEXPR int slot_quads() const {
        return !format.one_group() && stage_k() > quad_k() ? stage_k() / quad_k() : 1;
    }
    FDK_CONSTEXPR int slot_bytes() const {
        return format.one_group() ? 0 : row_blocks * slot_quads() * 128;
    }
    /// Enough that a slot's stages are free again before it is filled again.
    FDK_CONSTEXPR int scale_slots() const {
        return FragmentTiling::divide_up(stages - 1, quad_stages()) + 1;
    }

    /// Of one CTA; those of a cluster begin with whole quads.
    FDK_CONSTEXPR int rounds() const {
        const int rounds = FragmentTiling::divide_up(format.k, stage_k() * cluster);
        return cluster == 1 ? rounds
                            : FragmentTiling::divide_up(rounds, quad_stages()) * quad_stages();
    }
    FDK_CONSTEXPR int slice_k() const { return rounds() * stage_k(); }

    /// fp32 partial sums of the rows that a CTA of the cluster finishes, from each CTA of it:
    /// [k_parts][m_tile][share + 4]; the 4 avoid bank conflicts. Its own overlay the ring. Those of
    /// others have a place of their own if that is small, or the cluster's CTAs meet once more.
    FDK_CONSTEXPR int share() const { return rows() / cluster; }
    FDK_CONSTEXPR int sums_stride() const { return share() + 4; }
    FDK_CONSTEXPR int sums_bytes() const { return k_parts * m_tile * sums_stride() * 4; }
    FDK_CONSTEXPR bool sums_apart() const { return m_tile <= 64; }

    /// From a byte's 256-byte row in the decoder's table, the address is one permutation.
    static constexpr int kTableRowBytes = 256;
    FDK_CONSTEXPR int table_bytes() const { return format.table_bytes(kTableRowBytes); }
    FDK_CONSTEXPR int ring_bytes() const {
        return table_bytes() + stages * stage_bytes() + scale_slots() * slot_bytes();
    }
    /// Where sums of other CTAs arrive.
    FDK_CONSTEXPR int others_begin() const {
        return sums_apart() && ring_bytes() > sums_bytes() ? ring_bytes() : sums_bytes();
    }
    FDK_CONSTEXPR int barriers_begin() const {
        const int sums_end = others_begin() + (cluster - 1) * sums_bytes();
        return sums_end > ring_bytes() ? sums_end : ring_bytes();
    }
    /// Two barriers of 8 bytes a stage come last, and one for sums from other CTAs.
    FDK_CONSTEXPR int shared_bytes() const { return barriers_begin() + 16 * stages + 8; }
};

/// kernels/fragment_ring.cu
struct MmaRing {
    int m_tile;     ///< rows of x a CTA, a multiple of 8
    int row_tiles;  ///< 16-row blocks a warp
    int row_warps;  ///< warps side by side along n
    int k_warps;    ///< warps that share rows and split a stage
    int stages;
    int cluster;
};
FDK_CONSTEXPR FragmentRingTiling mma_ring(const FragmentTiling& format, const MmaRing& ring) {
    return {.format = format,
            .m_tile = ring.m_tile,
            .row_blocks = ring.row_tiles * ring.row_warps,
            .k_parts = ring.k_warps,
            .consumer_warps = ring.row_warps * ring.k_warps,
            .stages = ring.stages,
            .cluster = ring.cluster};
}

/// kernels/fragment_wgmma.cu and kernels/dense_wgmma.cu
struct WgmmaRing {
    int m_tile;           ///< rows of x a CTA: 32, 64, 128 or 256
    int row_warp_groups;  ///< warp groups side by side along n, 64 rows each
    int k_warp_groups;    ///< warp groups that share rows and split a stage
    int stages;
    int cluster;
};
FDK_CONSTEXPR FragmentRingTiling wgmma_ring(const FragmentTiling& format, const WgmmaRing& ring) {
    return {.format = format,
            .m_tile = ring.m_tile,
            .row_blocks = 4 * ring.row_warp_groups,
            .k_parts = ring.k_warp_groups,
            .consumer_warps = 4 * ring.row_warp_groups * ring.k_warp_groups,
            .stages = ring.stages,
            .cluster = ring.cluster};
}
/// Steps that are decoded together, while as many are multiplied: fewer where registers are scarce.
FDK_CONSTEXPR int wgmma_batch_steps(int m_tile) {
    return m_tile >= 128 ? 2 : 4;
}
