#include "src/core/fragment.hpp"

#include "src/core/fragment_order.cuh"
#include "src/core/parallel.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <stdexcept>

namespace fdkbench {
namespace {

static_assert(std::endian::native == std::endian::little, "words are moved as they lie in memory");

constexpr std::size_t kQuads = 4;  // lanes of one g

using Rows = std::array<std::array<Bytes8, kFragmentWords>, kFragmentRows>;
using Lanes =
    std::array<std::array<std::array<std::uint32_t, kFragmentWords>, kQuads>, kFragmentHalf>;
static_assert(sizeof(Rows) == kFragmentBytes && sizeof(Lanes) == kFragmentBytes);

constexpr Bytes8 gather_16(Bytes8 spread) {
    spread &= 0x0000ffff0000ffff;
    return (spread | spread >> 16U) & 0xffffffff;
}

constexpr Bytes8 gather_8(Bytes8 spread) {
    spread &= 0x00ff00ff00ff00ff;
    return gather_16(spread | spread >> 8U);
}

/// Inverse of zip_16().
constexpr Two unzip_16(Two two) {
    return {gather_16(two.first) | gather_16(two.second) << 32U,
            gather_16(two.first >> 16U) | gather_16(two.second >> 16U) << 32U};
}

/// Inverse of zip_8().
constexpr Two unzip_8(Two two) {
    return {gather_8(two.first) | gather_8(two.second) << 32U,
            gather_8(two.first >> 8U) | gather_8(two.second >> 8U) << 32U};
}

/// Inverse of columns_2().
constexpr Bytes8 rows_2(Bytes8 columns) {
    columns = exchange(columns, 8, 0x0000ff000000ff00);
    columns = exchange(columns, 24, 0x00000000ff00ff00);
    columns = exchange(columns, 14, 0x0000cccc0000cccc);
    columns = exchange(columns, 28, 0x00000000f0f0f0f0);
    return reverse_codes(columns);
}

/// Inverse of weave().
template <int kBits>
constexpr Two unweave(Two words) {
    if constexpr (kBits == 8) {
        return unzip_16(words);
    } else if constexpr (kBits == 4) {
        return unzip_8(unzip_16(words));
    } else if constexpr (kBits == 2) {
        const Two columns = unzip_8(words);
        return {rows_2(columns.first), rows_2(columns.second)};
    } else {
        const Two pairs = unzip_8(words);
        return unzip_8({transpose_1(pairs.second), transpose_1(pairs.first)});
    }
}

template <int kBits>
void weave_block(const Rows& rows, Lanes& lanes) {
    for (std::size_t g = 0; g < kFragmentHalf; ++g) {
        for (std::size_t w = 0; w < kFragmentWords; ++w) {
            const Two words = weave<kBits>({rows[g][w], rows[g + kFragmentHalf][w]});
            for (std::size_t c = 0; c < kQuads; ++c) {
                lanes[g][c][w] = word_of(words, c);
            }
        }
    }
}

template <int kBits>
void unweave_block(const Lanes& lanes, Rows& rows) {
    for (std::size_t g = 0; g < kFragmentHalf; ++g) {
        for (std::size_t w = 0; w < kFragmentWords; ++w) {
            const auto word = [&](std::size_t c) { return Bytes8{lanes[g][c][w]}; };
            const Two pair = unweave<kBits>({word(0) | word(1) << 32U, word(2) | word(3) << 32U});
            rows[g][w] = pair.first;
            rows[g + kFragmentHalf][w] = pair.second;
        }
    }
}

void require(bool holds, const char* what) {
    if (!holds) {
        throw std::invalid_argument(what);
    }
}

/// Of a block of 16 rows, how many there are.
std::size_t rows_in(const FragmentExtents& extents, std::size_t row_block) {
    return std::min(kFragmentRows, extents.n - row_block * kFragmentRows);
}

/// Calls visit(canonical, fragment) with the indices of every scale of 16 rows.
template <typename Visit>
void visit_scales(const FragmentExtents& extents, std::size_t row_block, Visit visit) {
    for (std::size_t row = 0; row < rows_in(extents, row_block); ++row) {
        const std::size_t canonical = (row_block * kFragmentRows + row) * extents.groups;
        const std::size_t lane = row % kFragmentHalf * kFragmentGroups * 2 + row / kFragmentHalf;
        for (std::size_t group = 0; group < extents.groups; ++group) {
            const std::size_t block = row_block * extents.scale_blocks() + group / kFragmentGroups;
            visit(canonical + group, block * kScaleBlock + lane + group % kFragmentGroups * 2);
        }
    }
}

/// One block of a matrix in both layouts: where its rows begin, what of them there is.
struct Place {
    std::size_t canonical;
    std::size_t fragment;
    std::size_t rows;
    std::size_t bytes;  // of each row
};

/// Calls visit(place) for every block of 16 rows.
template <typename Visit>
void visit_blocks(const FragmentExtents& extents, std::size_t row_block, Visit visit) {
    for (std::size_t block = 0; block < extents.blocks(); ++block) {
        const std::size_t column = block * kFragmentRowBytes;
        visit(Place{.canonical = row_block * kFragmentRows * extents.row_bytes + column,
                    .fragment = (row_block * extents.blocks() + block) * kFragmentBytes,
                    .rows = rows_in(extents, row_block),
                    .bytes = std::min(kFragmentRowBytes, extents.row_bytes - column)});
    }
}

/// Calls copy(to, from, bytes) for each row of a block that is there; the size of a whole row is a
/// constant then, so that the copy is a few instructions.
template <typename Copy>
void for_rows(const Place& place, Copy copy) {
    for (std::size_t row = 0; row < place.rows; ++row) {
        if (place.bytes == kFragmentRowBytes) {
            copy(row, kFragmentRowBytes);
        } else {
            copy(row, place.bytes);
        }
    }
}

template <int kBits>
void pack_rows(const QuantisedMatrix& from,
               const FragmentExtents& extents,
               std::size_t row_block,
               FragmentMatrix& to) {
    visit_blocks(extents, row_block, [&](const Place& place) {
        Rows rows{};
        for_rows(place, [&](std::size_t row, std::size_t bytes) {
            std::memcpy(rows[row].data(),
                        from.weight_data.data() + place.canonical + row * extents.row_bytes,
                        bytes);
        });
        Lanes lanes;
        weave_block<kBits>(rows, lanes);
        std::memcpy(to.weight_data.data() + place.fragment, lanes.data(), kFragmentBytes);
    });
    visit_scales(extents, row_block, [&](std::size_t canonical, std::size_t fragment) {
        to.scale[fragment] = from.scale[canonical];
    });
}

template <int kBits>
void unpack_rows(const FragmentMatrix& from,
                 const FragmentExtents& extents,
                 std::size_t row_block,
                 QuantisedMatrix& to) {
    visit_blocks(extents, row_block, [&](const Place& place) {
        Lanes lanes;
        std::memcpy(lanes.data(), from.weight_data.data() + place.fragment, kFragmentBytes);
        Rows rows;
        unweave_block<kBits>(lanes, rows);
        for_rows(place, [&](std::size_t row, std::size_t bytes) {
            std::memcpy(to.weight_data.data() + place.canonical + row * extents.row_bytes,
                        rows[row].data(),
                        bytes);
        });
    });
    visit_scales(extents, row_block, [&](std::size_t canonical, std::size_t fragment) {
        to.scale[canonical] = from.scale[fragment];
    });
}

/// The function for a bit width.
template <typename Function>
Function for_bits(int bits, const std::array<Function, 4>& functions) {
    switch (bits) {
        case 8:
            return functions[0];
        case 4:
            return functions[1];
        case 2:
            return functions[2];
        case 1:
            return functions[3];
        default:
            throw std::invalid_argument("only 8, 4, 2 and 1 bits have a fragment layout");
    }
}

}  // namespace

std::int64_t fragment_weight_bytes(const Shape& shape, const WeightFormat& format) {
    return static_cast<std::int64_t>(fragment_extents(shape, format).weight_bytes());
}

std::int64_t fragment_scales(const Shape& shape, const WeightFormat& format) {
    return static_cast<std::int64_t>(fragment_extents(shape, format).scales());
}

FragmentExtents fragment_extents(const Shape& shape, const WeightFormat& format) {
    require(format.quantised(), "16-bit weights have no fragment layout");
    require(
        format.group_size > 0 && shape.k % format.group_size == 0 && shape.k * format.bits % 8 == 0,
        "k is not whole groups and bytes");
    return {.n = static_cast<std::size_t>(shape.n),
            .row_bytes = static_cast<std::size_t>(shape.k * format.bits / 8),
            .groups = static_cast<std::size_t>(shape.k / format.group_size)};
}

FragmentExtents fragment_extents(const QuantisedMatrix& matrix,
                                 const Shape& shape,
                                 const WeightFormat& format) {
    const FragmentExtents extents = fragment_extents(shape, format);
    require(matrix.weight_data.size() == extents.n * extents.row_bytes &&
                matrix.scale.size() == extents.n * extents.groups,
            "the matrix is not of this shape and format");
    return extents;
}

FragmentMatrix to_fragments(const QuantisedMatrix& matrix,
                            const Shape& shape,
                            const WeightFormat& format,
                            int threads) {
    const auto pack = for_bits(
        format.bits, std::array{&pack_rows<8>, &pack_rows<4>, &pack_rows<2>, &pack_rows<1>});
    const FragmentExtents extents = fragment_extents(matrix, shape, format);
    FragmentMatrix packed;
    packed.weight_data.resize(extents.weight_bytes());
    packed.scale.resize(extents.scales());
    packed.codebook = matrix.codebook;
    parallel_for(extents.row_blocks(), threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row_block = begin; row_block < end; ++row_block) {
            pack(matrix, extents, row_block, packed);
        }
    });
    return packed;
}

QuantisedMatrix from_fragments(const FragmentMatrix& matrix,
                               const Shape& shape,
                               const WeightFormat& format,
                               int threads) {
    const auto unpack =
        for_bits(format.bits,
                 std::array{&unpack_rows<8>, &unpack_rows<4>, &unpack_rows<2>, &unpack_rows<1>});
    const FragmentExtents extents = fragment_extents(shape, format);
    require(matrix.weight_data.size() == extents.weight_bytes() &&
                matrix.scale.size() == extents.scales(),
            "the matrix is not of this shape and format");
    QuantisedMatrix unpacked;
    unpacked.weight_data.resize(extents.n * extents.row_bytes);
    unpacked.scale.resize(extents.n * extents.groups);
    unpacked.codebook = matrix.codebook;
    parallel_for(extents.row_blocks(), threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row_block = begin; row_block < end; ++row_block) {
            unpack(matrix, extents, row_block, unpacked);
        }
    });
    return unpacked;
}

}  // namespace fdkbench
