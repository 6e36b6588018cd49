#include "src/core/fragment.hpp"

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

constexpr std::size_t kRows = kFragmentRows;
constexpr std::size_t kHalf = 8;   // rows g and g + 8 belong to the same lanes
constexpr std::size_t kWords = 4;  // of a lane; each comes from 8 bytes of two rows
constexpr std::size_t kQuads = 4;  // lanes of one g
constexpr std::size_t kBlockBytes = kFragmentBytes;
constexpr std::size_t kRowBytes = kBlockBytes / kRows;
constexpr std::size_t kScaleGroups = kFragmentGroups;
constexpr std::size_t kScaleBlock = kRows * kScaleGroups;

using Rows = std::array<std::array<std::uint64_t, kWords>, kRows>;
using Lanes = std::array<std::array<std::array<std::uint32_t, kWords>, kQuads>, kHalf>;
static_assert(sizeof(Rows) == kBlockBytes && sizeof(Lanes) == kBlockBytes);

/// Two rows' 8 bytes; or, in the order of a fragment, the words of c = 0, 1 and of c = 2, 3.
struct Two {
    std::uint64_t first;
    std::uint64_t second;
};

/// Exchanges the bits under `mask` with those `shift` above.
constexpr std::uint64_t exchange(std::uint64_t bits, unsigned shift, std::uint64_t mask) {
    const std::uint64_t differing = (bits ^ (bits >> shift)) & mask;
    return bits ^ differing ^ (differing << shift);
}

constexpr std::uint64_t spread_16(std::uint64_t low) {
    low &= 0xffffffff;
    return (low | low << 16U) & 0x0000ffff0000ffff;
}

constexpr std::uint64_t gather_16(std::uint64_t spread) {
    spread &= 0x0000ffff0000ffff;
    return (spread | spread >> 16U) & 0xffffffff;
}

constexpr std::uint64_t spread_8(std::uint64_t low) {
    low = spread_16(low);
    return (low | low << 8U) & 0x00ff00ff00ff00ff;
}

constexpr std::uint64_t gather_8(std::uint64_t spread) {
    spread &= 0x00ff00ff00ff00ff;
    return gather_16(spread | spread >> 8U);
}

/// first, second, first, … by 16 bits; and back.
constexpr Two zip_16(Two two) {
    return {spread_16(two.first) | spread_16(two.second) << 16U,
            spread_16(two.first >> 32U) | spread_16(two.second >> 32U) << 16U};
}

constexpr Two unzip_16(Two two) {
    return {gather_16(two.first) | gather_16(two.second) << 32U,
            gather_16(two.first >> 16U) | gather_16(two.second >> 16U) << 32U};
}

/// The same by bytes.
constexpr Two zip_8(Two two) {
    return {spread_8(two.first) | spread_8(two.second) << 8U,
            spread_8(two.first >> 32U) | spread_8(two.second >> 32U) << 8U};
}

constexpr Two unzip_8(Two two) {
    return {gather_8(two.first) | gather_8(two.second) << 32U,
            gather_8(two.first >> 8U) | gather_8(two.second >> 8U) << 32U};
}

/// 32 codes of 2 bits: reverses the four of each byte. Its own inverse.
constexpr std::uint64_t reverse_codes(std::uint64_t codes) {
    codes = (codes >> 2U & 0x3333333333333333) | (codes & 0x3333333333333333) << 2U;
    return (codes >> 4U & 0x0f0f0f0f0f0f0f0f) | (codes & 0x0f0f0f0f0f0f0f0f) << 4U;
}

/// 2 bits: canonical weight 8j + x to byte x, bits 2j. Each exchange swaps two digits of the binary
/// number of a code.
constexpr std::uint64_t columns_2(std::uint64_t row) {
    row = reverse_codes(row);
    row = exchange(row, 28, 0x00000000f0f0f0f0);
    row = exchange(row, 14, 0x0000cccc0000cccc);
    row = exchange(row, 24, 0x00000000ff00ff00);
    return exchange(row, 8, 0x0000ff000000ff00);
}

constexpr std::uint64_t rows_2(std::uint64_t columns) {
    columns = exchange(columns, 8, 0x0000ff000000ff00);
    columns = exchange(columns, 24, 0x00000000ff00ff00);
    columns = exchange(columns, 14, 0x0000cccc0000cccc);
    columns = exchange(columns, 28, 0x00000000f0f0f0f0);
    return reverse_codes(columns);
}

/// 1 bit: bit 7 − x of byte q to bit 7 − q of byte x. Its own inverse.
constexpr std::uint64_t transpose_1(std::uint64_t bits) {
    bits = exchange(bits, 9, 0x0055005500550055);
    bits = exchange(bits, 18, 0x0000333300003333);
    return exchange(bits, 36, 0x000000000f0f0f0f);
}

/// 8 bytes of row g and of row g + 8 → word w of the four lanes of g.
template <int kBits>
constexpr Two weave(Two rows) {
    if constexpr (kBits == 8) {
        return zip_16(rows);
    } else if constexpr (kBits == 4) {
        return zip_16(zip_8(rows));
    } else if constexpr (kBits == 2) {
        return zip_16({columns_2(rows.first), columns_2(rows.second)});
    } else {
        const Two pairs = zip_8(rows);
        return zip_8({transpose_1(pairs.second), transpose_1(pairs.first)});
    }
}

template <int kBits>
constexpr Two unweave(Two words) {
    if constexpr (kBits == 8) {
        return unzip_16(words);
    } else if constexpr (kBits == 4) {
        return unzip_8(unzip_16(words));
    } else if constexpr (kBits == 2) {
        const Two columns = unzip_16(words);
        return {rows_2(columns.first), rows_2(columns.second)};
    } else {
        const Two pairs = unzip_8(words);
        return unzip_8({transpose_1(pairs.second), transpose_1(pairs.first)});
    }
}

template <int kBits>
void weave_block(const Rows& rows, Lanes& lanes) {
    for (std::size_t g = 0; g < kHalf; ++g) {
        for (std::size_t w = 0; w < kWords; ++w) {
            const Two words = weave<kBits>({rows[g][w], rows[g + kHalf][w]});
            lanes[g][0][w] = static_cast<std::uint32_t>(words.first);
            lanes[g][1][w] = static_cast<std::uint32_t>(words.first >> 32U);
            lanes[g][2][w] = static_cast<std::uint32_t>(words.second);
            lanes[g][3][w] = static_cast<std::uint32_t>(words.second >> 32U);
        }
    }
}

template <int kBits>
void unweave_block(const Lanes& lanes, Rows& rows) {
    for (std::size_t g = 0; g < kHalf; ++g) {
        for (std::size_t w = 0; w < kWords; ++w) {
            const auto word = [&](std::size_t c) { return std::uint64_t{lanes[g][c][w]}; };
            const Two pair = unweave<kBits>({word(0) | word(1) << 32U, word(2) | word(3) << 32U});
            rows[g][w] = pair.first;
            rows[g + kHalf][w] = pair.second;
        }
    }
}

void require(bool holds, const char* what) {
    if (!holds) {
        throw std::invalid_argument(what);
    }
}

std::size_t blocks_of(std::size_t size, std::size_t block) {
    return (size + block - 1) / block;
}

/// Extents of a quantised matrix in both layouts.
struct Extents {
    std::size_t n;
    std::size_t row_bytes;     // canonical
    std::size_t groups;        // in a row
    std::size_t row_blocks;    // of 16 rows
    std::size_t blocks;        // in 16 rows
    std::size_t scale_blocks;  // of 4 groups, in 16 rows

    Extents(const Shape& shape, const WeightFormat& format)
        : n(static_cast<std::size_t>(shape.n)),
          row_bytes(static_cast<std::size_t>(shape.k * format.bits / 8)),
          groups(static_cast<std::size_t>(format.group_size > 0 ? shape.k / format.group_size : 0)),
          row_blocks(blocks_of(n, kRows)),
          blocks(blocks_of(row_bytes, kRowBytes)),
          scale_blocks(blocks_of(groups, kScaleGroups)) {
        require(format.quantised(), "16-bit weights have no fragment layout");
        require(static_cast<std::size_t>(format.group_size) * groups ==
                        static_cast<std::size_t>(shape.k) &&
                    shape.k * format.bits % 8 == 0,
                "k is not whole groups and bytes");
    }

    [[nodiscard]] std::size_t weight_bytes() const { return row_blocks * blocks * kBlockBytes; }
    [[nodiscard]] std::size_t scales() const { return row_blocks * scale_blocks * kScaleBlock; }
    /// Of a block of 16 rows, how many there are.
    [[nodiscard]] std::size_t rows(std::size_t row_block) const {
        return std::min(kRows, n - row_block * kRows);
    }
};

/// Calls visit(canonical, fragment) with the indices of every scale of 16 rows.
template <typename Visit>
void visit_scales(const Extents& extents, std::size_t row_block, Visit visit) {
    for (std::size_t row = 0; row < extents.rows(row_block); ++row) {
        const std::size_t canonical = (row_block * kRows + row) * extents.groups;
        const std::size_t lane = row % kHalf * kScaleGroups * 2 + row / kHalf;
        for (std::size_t group = 0; group < extents.groups; ++group) {
            const std::size_t block = row_block * extents.scale_blocks + group / kScaleGroups;
            visit(canonical + group, block * kScaleBlock + lane + group % kScaleGroups * 2);
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
void visit_blocks(const Extents& extents, std::size_t row_block, Visit visit) {
    for (std::size_t block = 0; block < extents.blocks; ++block) {
        const std::size_t column = block * kRowBytes;
        visit(Place{.canonical = row_block * kRows * extents.row_bytes + column,
                    .fragment = (row_block * extents.blocks + block) * kBlockBytes,
                    .rows = extents.rows(row_block),
                    .bytes = std::min(kRowBytes, extents.row_bytes - column)});
    }
}

/// Calls copy(to, from, bytes) for each row of a block that is there; the size of a whole row is a
/// constant then, so that the copy is a few instructions.
template <typename Copy>
void for_rows(const Place& place, Copy copy) {
    for (std::size_t row = 0; row < place.rows; ++row) {
        if (place.bytes == kRowBytes) {
            copy(row, kRowBytes);
        } else {
            copy(row, place.bytes);
        }
    }
}

template <int kBits>
void pack_rows(const QuantisedMatrix& from,
               const Extents& extents,
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
        std::memcpy(to.weight_data.data() + place.fragment, lanes.data(), kBlockBytes);
    });
    visit_scales(extents, row_block, [&](std::size_t canonical, std::size_t fragment) {
        to.scale[fragment] = from.scale[canonical];
    });
}

template <int kBits>
void unpack_rows(const FragmentMatrix& from,
                 const Extents& extents,
                 std::size_t row_block,
                 QuantisedMatrix& to) {
    visit_blocks(extents, row_block, [&](const Place& place) {
        Lanes lanes;
        std::memcpy(lanes.data(), from.weight_data.data() + place.fragment, kBlockBytes);
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
    return static_cast<std::int64_t>(Extents(shape, format).weight_bytes());
}

std::int64_t fragment_scales(const Shape& shape, const WeightFormat& format) {
    return static_cast<std::int64_t>(Extents(shape, format).scales());
}

FragmentMatrix to_fragments(const QuantisedMatrix& matrix,
                            const Shape& shape,
                            const WeightFormat& format,
                            int threads) {
    const auto pack = for_bits(
        format.bits, std::array{&pack_rows<8>, &pack_rows<4>, &pack_rows<2>, &pack_rows<1>});
    const Extents extents(shape, format);
    require(matrix.weight_data.size() == extents.n * extents.row_bytes &&
                matrix.scale.size() == extents.n * extents.groups,
            "the matrix is not of this shape and format");
    FragmentMatrix packed;
    packed.weight_data.resize(extents.weight_bytes());
    packed.scale.resize(extents.scales());
    packed.codebook = matrix.codebook;
    parallel_for(extents.row_blocks, threads, [&](std::size_t begin, std::size_t end) {
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
    const Extents extents(shape, format);
    require(matrix.weight_data.size() == extents.weight_bytes() &&
                matrix.scale.size() == extents.scales(),
            "the matrix is not of this shape and format");
    QuantisedMatrix unpacked;
    unpacked.weight_data.resize(extents.n * extents.row_bytes);
    unpacked.scale.resize(extents.n * extents.groups);
    unpacked.codebook = matrix.codebook;
    parallel_for(extents.row_blocks, threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row_block = begin; row_block < end; ++row_block) {
            unpack(matrix, extents, row_block, unpacked);
        }
    });
    return unpacked;
}

}  // namespace fdkbench
