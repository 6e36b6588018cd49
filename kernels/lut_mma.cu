// y[m,n] = x[m,k] · (codebook[w] · scales)[n,k]ᵀ: weights of 8, 4, 2 or 1 bits, tensor cores,
// any m.
//
//   x [m,k], codebook [2^bits], y [m,n]: elements of one type; fp32 accumulation
//   w [n, k·bits/8] packed, the first weight in the top bits of its byte
//   scales [n, k/group_size]
//
//             n →                     grid: ceil(n / tile_n) · ceil(m / m_tile) CTAs, m fastest
//       m   +---------+---------+     CTA:  tile_n = 16·row_tiles·row_warps rows of w, m_tile rows
//       ↓   |  CTA 0  |  CTA 2  |           of x, all of k, split over k_warps
//           +---------+---------+     lane: a run of neighbouring weights of a row at a time, which
//           |  CTA 1  |  CTA 3  |           it decodes into tensor-core operands
//           +---------+---------+           (kernels/common/mma_tile.cuh)
//
// group_size is k or a multiple of 32. Where scales multiply sums (FDK_SCALE_SUMS), the 4 runs of a
// quad lie in one group, so that small groups mean short loads; where they multiply weights
// (FDK_SCALE_WEIGHTS), a run is 16 bytes, at the price of one more rounding to 16 bits. n, m and k
// need not be multiples of anything.

#include "kernels/common/mma_decode.cuh"
#include "kernels/common/mma_tile.cuh"

#if defined(FDK_DECODE_TABLE)
using Decoder = TablePairs<FDK_BITS, FDK_REPLICAS>;
#elif defined(FDK_DECODE_PRMT)
using Decoder = PermutePairs;
#elif defined(FDK_DECODE_SELECT)
using Decoder = SelectPairs;
#endif

#ifdef FDK_SCALE_WEIGHTS
constexpr bool kScaleFirst = true;
#else
constexpr bool kScaleFirst = false;
#endif

constexpr MmaTiling kTiling{.bits = FDK_BITS,
                            .group_size = FDK_GROUP_SIZE,
                            .n = FDK_N,
                            .k = FDK_K,
                            .row_tiles = FDK_ROW_TILES,
                            .m_tile = FDK_M_TILE,
                            .row_warps = FDK_ROW_WARPS,
                            .k_warps = FDK_K_WARPS,
                            .unroll = FDK_UNROLL,
                            .stages = FDK_STAGES,
                            .scale_first = kScaleFirst,
                            .table_bytes = Decoder::kBytes};

extern "C" __global__ void __launch_bounds__(kTiling.threads()) lut_mma(const void* x,
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
    MmaTile<kTiling, Decoder>::run(operands, shared);
}
