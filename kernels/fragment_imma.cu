// y[m,n] = x[m,k] · w[n,k]ᵀ: weights of 2 or 1 bits in the fragment layout, tensor cores that
// multiply whole numbers, a few rows of x.
//
//   x [m,k], codebook [2^bits], y [m,n]: elements of one type; x in fixed point
//   w, scales: fragment layout (src/core/fragment.hpp)
//
//                   k →  round 0                       round 1
//   16·row_tiles   | k warp 0     | k warp 1 | …     | k warp 0     | …      row warp 0
//   rows of w      | <- chunk: -> |          |       |              |
//                    unroll blocks
//   the next rows  | k warp 0     | …                                        row warp 1
//
// A weight is a sum of its bits, each times a number of the codebook, and a constant. So bits under
// a mask are operand A of mma_16x8x32 without any decoding. Operand B has two columns for each row
// of x: the high and the low bytes of its values in fixed point, spans of 64 with one exponent
// (kernels/common/fixed_point.cuh). A CTA converts all of its m_tile rows of x to shared memory
// first. Sums of a span are whole and exact; they are multiplied by the exponents of x and the
// scales of w and added in fp32, those of k warps in a fixed order. The codebook and a first chunk
// of weights are asked for before the launches that x comes from have ended.
//
// Codebooks whose value for a code is minus that for its complement need only this; others take
// the sum of x, and 2 bits the product of the two bits as well.
//
// Grid: row blocks ÷ (row_tiles · row_warps), rows of x ÷ m_tile. What must divide what (the
// descriptor sees to it): k is a multiple of 64, the group size k or a multiple of 64; n and m need
// not be multiples of anything.

#include "kernels/common/fragment_imma.cuh"

constexpr FragmentImmaTiling kTiling{.warps = {.format = {.bits = FDK_BITS,
                                                          .group_size = FDK_GROUP_SIZE,
                                                          .n = FDK_N,
                                                          .k = FDK_K,
                                                          .unroll = FDK_UNROLL},
                                               .m_tile = FDK_M_TILE,
                                               .row_tiles = FDK_ROW_TILES,
                                               .row_warps = FDK_ROW_WARPS,
                                               .k_warps = FDK_K_WARPS,
                                               .cluster = 1}};

extern "C" __global__ void __launch_bounds__(kTiling.warps.threads(), kTiling.least_ctas())
    fragment_imma(const void* x,
                  const void* w,
                  const void* scales,
                  const void* codebook,
                  void* y,
                  void* /*workspace*/,
                  int m) {
    extern __shared__ __align__(128) uint8 shared[];
    begin_dependents();
    const ImmaArguments arguments{
        static_cast<const uint16*>(x), w, scales, codebook, static_cast<uint16*>(y), m};
    FragmentImma<kTiling>::run(arguments, shared);
}
