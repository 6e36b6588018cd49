#pragma once

#include "src/core/half.hpp"
#include "src/core/problem.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace fdkbench {

/// A quantised matrix in the canonical layout. 16-bit values are of the problem's element type.
struct QuantisedMatrix {
    std::vector<std::uint8_t> weight_data;  ///< [n, k·bits/8], first element in the top bits
    std::vector<std::uint16_t> scale;       ///< [n, k/group_size]
    std::vector<std::uint16_t> codebook;    ///< [2^bits]
};

/// 2^bits values evenly from −1 to 1, mirrored about the middle, each step of i · (2 ÷ (2^bits −
/// 1)) − 1 rounded to `type`. That is what PyTorch's linspace gives in 16 bits; at 8 bits in bf16
/// the two middle values are both 0.
std::vector<std::uint16_t> uniform_codebook(int bits, ElementType type);

/// 2^bits ascending values from -1 to 0.8, neither evenly spaced nor symmetric.
std::vector<std::uint16_t> uneven_codebook(int bits, ElementType type);

/// Quantises weights [n,k] of `type` (design: weight formats). The scale of a group is the mean of
/// |w| for bits ≤ 2, else max |w|, at least 1e-12; scale and w ÷ scale are rounded to `type`; the
/// index is the nearest codebook entry: the midpoints between entries are rounded to `type` too,
/// and a value on one takes the lower index. fp16 has nothing at 1e-12: its least scale is 2^-24.
/// `codebook` [2^bits] ascending, weights finite. Uses `threads` threads. Throws
/// std::invalid_argument when the extents do not fit together.
QuantisedMatrix quantise(std::span<const std::uint16_t> weights,
                         const Shape& shape,
                         const WeightFormat& format,
                         ElementType type,
                         std::span<const std::uint16_t> codebook,
                         int threads);

/// 1e-12, or the least positive value where the type cannot go as low: no scale is less.
std::uint16_t least_scale(ElementType type);

/// The scale of one group of weights, as quantise() takes it.
std::uint16_t group_scale(std::span<const std::uint16_t> weights, int bits, ElementType type);

/// A weight ÷ its group's scale, rounded to `type`.
inline std::uint16_t scaled(std::uint16_t weight, float scale, ElementType type) {
    return to_bits16(from_bits16(weight, type) / scale, type);
}

/// For each of the 65536 scaled weights the index that quantise() gives it: there are few enough of
/// them to look each weight up instead of searching. `codebook` ascending.
std::vector<std::uint8_t> codebook_indices(std::span<const std::uint16_t> codebook,
                                           ElementType type);

/// codebook[index] · scale in fp32 → [n,k].
void dequantise(const QuantisedMatrix& matrix,
                const Shape& shape,
                const WeightFormat& format,
                ElementType type,
                std::span<float> out,
                int threads);

/// [256, 8/bits]: the codebook values of every byte, first element from its top bits.
std::vector<std::uint16_t> byte_lut(std::span<const std::uint16_t> codebook, int bits);

}  // namespace fdkbench
