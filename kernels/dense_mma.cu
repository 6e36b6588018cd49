// y[m,n] = x[m,k] · w[n,k]ᵀ, 16-bit weights, tensor cores, any m.
//
//   x [m,k], w [n,k], y [m,n]: row-major elements of one type; fp32 accumulation.
//
//             n →                     grid: ceil(n / tile_n) · ceil(m / m_tile) CTAs, m fastest
//       m   +---------+---------+     CTA:  tile_n = 16·row_tiles·row_warps rows of w, m_tile rows
//       ↓   |  CTA 0  |  CTA 2  |           of x, all of k, split over k_warps
//           +---------+---------+     lane: 8 neighbouring weights of a row at a time
//           |  CTA 1  |  CTA 3  |           (kernels/common/mma_tile.cuh)
//           +---------+---------+
//
// Nothing must divide anything: rows of w and x are read 16 bytes at a time where k is a multiple
// of 8, in smaller pieces elsewhere.

#include "kernels/common/mma_decode.cuh"
#include "kernels/common/mma_tile.cuh"

constexpr MmaTiling kTiling{.bits = 16,
                            .group_size = 0,
                            .n = FDK_N,
                            .k = FDK_K,
                            .row_tiles = FDK_ROW_TILES,
                            .m_tile = FDK_M_TILE,
                            .row_warps = FDK_ROW_WARPS,
                            .k_warps = FDK_K_WARPS,
                            .unroll = FDK_UNROLL,
                            .stages = FDK_STAGES,
                            .scale_first = false,
                            .table_bytes = 0};

extern "C" __global__ void __launch_bounds__(kTiling.threads()) dense_mma(const void* x,
                                                                          const void* w,
                                                                          const void* scales,
                                                                          const void* codebook,
                                                                          void* y,
                                                                          void* /*workspace*/,
                                                                          int m) {
    extern __shared__ __align__(16) uint8 shared[];
    const Operands operands{static_cast<const uint16*>(x),
                            static_cast<const uint8*>(w),
                            static_cast<const uint16*>(scales),
                            static_cast<const uint16*>(codebook),
                            static_cast<uint16*>(y),
                            m};
    MmaTile<kTiling, PlainPairs>::run(operands, shared);
}
