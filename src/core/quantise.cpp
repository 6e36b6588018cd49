#include "src/core/quantise.hpp"

#include "src/core/half.hpp"
#include "src/core/parallel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace fdkbench {
namespace {

constexpr std::size_t kBitPatterns = 65536;

float round_to(float value, ElementType type) {
    return from_bits16(to_bits16(value, type), type);
}

template <int kBits>
void pack_group(std::span<const std::uint16_t> weights,
                float scale,
                ElementType type,
                const std::vector<std::uint8_t>& table,
                std::uint8_t* out) {
    constexpr std::size_t kPerByte = 8 / kBits;
    constexpr std::size_t kBatch = 64;  // divided together, so that the division vectorises
    std::array<std::uint16_t, kBatch> ratios{};
    for (std::size_t begin = 0; begin < weights.size(); begin += kBatch) {
        const std::size_t count = std::min(kBatch, weights.size() - begin);
        for (std::size_t i = 0; i < count; ++i) {
            ratios[i] = scaled(weights[begin + i], scale, type);
        }
        for (std::size_t i = 0; i < count; i += kPerByte) {
            unsigned byte = 0;
            for (std::size_t j = 0; j < kPerByte; ++j) {
                byte = byte << static_cast<unsigned>(kBits) | table[ratios[i + j]];
            }
            *out++ = static_cast<std::uint8_t>(byte);
        }
    }
}

using PackGroup = decltype(&pack_group<8>);

PackGroup pack_group_for(int bits) {
    switch (bits) {
        case 8:
            return pack_group<8>;
        case 4:
            return pack_group<4>;
        case 2:
            return pack_group<2>;
        case 1:
            return pack_group<1>;
        default:
            throw std::invalid_argument("only 8, 4, 2 and 1 bits are quantised");
    }
}

void require(bool holds, const char* what) {
    if (!holds) {
        throw std::invalid_argument(what);
    }
}

/// Extents of a quantised matrix, checked.
struct Extents {
    std::size_t n;
    std::size_t k;
    std::size_t group_size;
    std::size_t groups;     // in a row
    std::size_t row_bytes;  // of weight_data

    Extents(const Shape& shape, const WeightFormat& format)
        : n(static_cast<std::size_t>(shape.n)),
          k(static_cast<std::size_t>(shape.k)),
          group_size(static_cast<std::size_t>(format.group_size)),
          groups(group_size == 0 ? 0 : k / group_size),
          row_bytes(k * static_cast<std::size_t>(format.bits) / 8) {
        require(format.quantised() && groups * group_size == k, "k is not whole groups");
        require(group_size * static_cast<std::size_t>(format.bits) % 8 == 0,
                "a group is not whole bytes");
    }
};

std::size_t codebook_size(int bits) {
    return std::size_t{1} << static_cast<unsigned>(bits);
}

}  // namespace

std::uint16_t least_scale(ElementType type) {
    return std::max<std::uint16_t>(to_bits16(1e-12F, type), 1);
}

std::uint16_t group_scale(std::span<const std::uint16_t> weights, int bits, ElementType type) {
    constexpr std::uint16_t kMagnitude = 0x7fff;
    std::uint16_t scale = 0;
    if (bits <= 2) {
        // In double the sum is exact for all but extreme inputs, so its order does not matter.
        double sum = 0;
        for (const std::uint16_t weight : weights) {
            sum += from_bits16(weight & kMagnitude, type);
        }
        scale = to_bits16(static_cast<float>(sum / static_cast<double>(weights.size())), type);
    } else {
        // Bit patterns of positive values are ordered as the values are.
        for (const std::uint16_t weight : weights) {
            scale = std::max<std::uint16_t>(scale, weight & kMagnitude);
        }
    }
    return std::max(scale, least_scale(type));
}

std::vector<std::uint8_t> codebook_indices(std::span<const std::uint16_t> codebook,
                                           ElementType type) {
    std::vector<float> boundaries;
    for (std::size_t i = 1; i < codebook.size(); ++i) {
        const float sum = from_bits16(codebook[i - 1], type) + from_bits16(codebook[i], type);
        boundaries.push_back(round_to(sum / 2, type));
    }
    std::vector<std::uint8_t> table(kBitPatterns);
    for (std::size_t pattern = 0; pattern < kBitPatterns; ++pattern) {
        const float value = from_bits16(static_cast<std::uint16_t>(pattern), type);
        const auto above = std::lower_bound(boundaries.begin(), boundaries.end(), value);
        table[pattern] = static_cast<std::uint8_t>(above - boundaries.begin());
    }
    return table;
}

std::vector<std::uint16_t> uniform_codebook(int bits, ElementType type) {
    const std::size_t size = codebook_size(bits);
    const float step = round_to(2 / static_cast<float>(size - 1), type);
    std::vector<std::uint16_t> codebook(size);
    for (std::size_t i = 0; i < size / 2; ++i) {
        const float distance = round_to(step * static_cast<float>(i), type);
        codebook[i] = to_bits16(distance - 1, type);
        codebook[size - 1 - i] = to_bits16(1 - distance, type);
    }
    return codebook;
}

std::vector<std::uint16_t> uneven_codebook(int bits, ElementType type) {
    std::vector<std::uint16_t> codebook(codebook_size(bits));
    for (std::size_t i = 0; i < codebook.size(); ++i) {
        const float share = static_cast<float>(i) / static_cast<float>(codebook.size() - 1);
        codebook[i] = to_bits16(1.8F * share * (0.6F + 0.4F * share) - 1, type);
    }
    return codebook;
}

QuantisedMatrix quantise(std::span<const std::uint16_t> weights,
                         const Shape& shape,
                         const WeightFormat& format,
                         ElementType type,
                         std::span<const std::uint16_t> codebook,
                         int threads) {
    const PackGroup pack = pack_group_for(format.bits);
    const Extents extents(shape, format);
    require(weights.size() == extents.n * extents.k, "weights are not [n,k]");
    require(codebook.size() == codebook_size(format.bits), "the codebook is not [2^bits]");

    const std::vector<std::uint8_t> table = codebook_indices(codebook, type);
    QuantisedMatrix matrix;
    matrix.weight_data.resize(extents.n * extents.row_bytes);
    matrix.scale.resize(extents.n * extents.groups);
    matrix.codebook.assign(codebook.begin(), codebook.end());
    const std::size_t group_bytes = extents.group_size * static_cast<std::size_t>(format.bits) / 8;
    parallel_for(matrix.scale.size(), threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t group = begin; group < end; ++group) {
            const auto values = weights.subspan(group * extents.group_size, extents.group_size);
            const std::uint16_t scale = group_scale(values, format.bits, type);
            matrix.scale[group] = scale;
            pack(values,
                 from_bits16(scale, type),
                 type,
                 table,
                 matrix.weight_data.data() + group * group_bytes);
        }
    });
    return matrix;
}

void dequantise(const QuantisedMatrix& matrix,
                const Shape& shape,
                const WeightFormat& format,
                ElementType type,
                std::span<float> out,
                int threads) {
    const Extents extents(shape, format);
    require(out.size() == extents.n * extents.k, "the output is not [n,k]");
    require(matrix.weight_data.size() == extents.n * extents.row_bytes &&
                matrix.scale.size() == extents.n * extents.groups,
            "the matrix is not of this shape and format");

    std::vector<float> lut;
    for (const std::uint16_t value : byte_lut(matrix.codebook, format.bits)) {
        lut.push_back(from_bits16(value, type));
    }
    const std::size_t per_byte = 8 / static_cast<std::size_t>(format.bits);
    const std::size_t group_bytes = extents.group_size / per_byte;
    parallel_for(matrix.scale.size(), threads, [&](std::size_t begin, std::size_t end) {
        float* to = out.data() + begin * extents.group_size;
        for (std::size_t group = begin; group < end; ++group) {
            const float scale = from_bits16(matrix.scale[group], type);
            for (std::size_t i = 0; i < group_bytes; ++i) {
                const float* values =
                    lut.data() + matrix.weight_data[group * group_bytes + i] * per_byte;
                for (std::size_t j = 0; j < per_byte; ++j) {
                    *to++ = values[j] * scale;
                }
            }
        }
    });
}

std::vector<std::uint16_t> byte_lut(std::span<const std::uint16_t> codebook, int bits) {
    require(codebook.size() == codebook_size(bits), "the codebook is not [2^bits]");
    const auto width = static_cast<unsigned>(bits);
    std::vector<std::uint16_t> lut;
    for (unsigned byte = 0; byte < 256; ++byte) {
        for (unsigned shift = 8; shift > 0;) {
            shift -= width;
            lut.push_back(codebook[byte >> shift & ((1U << width) - 1)]);
        }
    }
    return lut;
}

}  // namespace fdkbench
