#pragma once

#include "src/core/problem.hpp"
#include "src/core/quantise.hpp"

#include <cstdint>
#include <vector>

/// The fragment layout of quantised weights (8, 4, 2 or 1 bits): the order in which the lanes of a
/// warp hold operand A of mma.m16n8k16, so that one 16-byte load of a lane feeds several of these
/// steps. A warp of a Hopper wgmma with A in registers holds its 16 rows in the same order. 16-bit
/// weights are always canonical.
///
/// Weights are blocks of 512 bytes, [⌈n/16⌉][⌈k/kb⌉], k fastest. A block has 16 rows of w and
/// kb = 256/bits weights along k (32, 64, 128, 256 for 8, 4, 2, 1 bits); in it every lane t = 0…31
/// has 16 bytes, one lane after the other. What lies beyond n or k has code 0.
///
///            kb weights along k = kb/16 steps s of 16
///           ┌──────────┬──────────┬─       one step: lane t has g = t/4, c = t%4 and four
///      row 0│ s = 0    │ s = 1    │        pairs r = 0…3, each of two weights e = 0, 1:
///         · │          │          │
///           │          │          │               k = 16s + 2c + e   16s + 8 + 2c + e
///         · │          │          │        row g         r = 0            r = 2
///     row 15│          │          │        row g+8       r = 1            r = 3
///           └──────────┴──────────┴─
///     row = g + 8·(r%2)    k = 16·s + 2·c + 8·(r/2) + e       (relative to the block)
///
/// The pair's number in its lane is p = 4·s + r; a lane's bytes are four little-endian words of 32
/// bits, in which the code of weight e of pair p stands
///
///     8 bits: in word p/2, byte 2·(p%2) + e
///     4 bits: in word p/4, byte p%4, e = 0 in the high half and e = 1 in the low one
///     2 bits: in word p/8, byte q%2 + 2·e, at bits 2·(q/2) and 2·(q/2) + 1, with q = p%8
///     1 bit:  in word p/16, at bit 15 − q for e = 0 and bit 31 − q for e = 1, with q = p%16
///
///     word, from bit 31 on the left to bit 0; "3.1" is pair 3 (of this word), weight 1
///     8 bits │    1.1    │    1.0    │    0.1    │    0.0    │
///     4 bits │ 3.0 │ 3.1 │ 2.0 │ 2.1 │ 1.0 │ 1.1 │ 0.0 │ 0.1 │
///     2 bits │7.1│5.1│3.1│1.1│6.1│4.1│2.1│0.1│7.0│5.0│3.0│1.0│6.0│4.0│2.0│0.0│
///     1 bit  │ 0.1  1.1  2.1  …  15.1 │ 0.0  1.0  2.0  …  15.0 │
///
/// Thus word w of a lane comes from 8 bytes of canonical row g and the same 8 of row g+8.
///
/// Scales are 16-bit values [⌈n/16⌉][⌈groups/4⌉][8][4][2] with groups = k/group_size: the scale of
/// a row and group has the index (row/16, group/4, row%8, group%4, (row%16)/8); 0 where there is no
/// such row or group. The codebook is the canonical one.
namespace fdkbench {

struct FragmentExtents;

/// A quantised matrix in the fragment layout.
struct FragmentMatrix {
    std::vector<std::uint8_t> weight_data;  ///< fragment_weight_bytes()
    std::vector<std::uint16_t> scale;       ///< fragment_scales()
    std::vector<std::uint16_t> codebook;    ///< [2^bits]
};

/// Bytes of the weights.
std::int64_t fragment_weight_bytes(const Shape& shape, const WeightFormat& format);

/// Number of scales.
std::int64_t fragment_scales(const Shape& shape, const WeightFormat& format);

/// For packers that go by fragment_order.cuh. Both throw std::invalid_argument as to_fragments()
/// does, the second also for a matrix that is not of this shape and format.
FragmentExtents fragment_extents(const Shape& shape, const WeightFormat& format);
FragmentExtents fragment_extents(const QuantisedMatrix& matrix,
                                 const Shape& shape,
                                 const WeightFormat& format);

/// From the canonical layout. Both use `threads` threads and throw std::invalid_argument when the
/// matrix is not of this shape and format, or the format is not one of quantised weights.
FragmentMatrix to_fragments(const QuantisedMatrix& matrix,
                            const Shape& shape,
                            const WeightFormat& format,
                            int threads);

/// Back to the canonical layout.
QuantisedMatrix from_fragments(const FragmentMatrix& matrix,
                               const Shape& shape,
                               const WeightFormat& format,
                               int threads);

}  // namespace fdkbench
