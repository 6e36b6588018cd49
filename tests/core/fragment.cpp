#include "src/core/fragment.hpp"

#include "src/core/fragment_order.cuh"
#include "tests/catch.hpp"
#include "tests/core/fragment_cases.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

std::int64_t ceil_of(std::int64_t a, std::int64_t b) {
    return a / b + (a % b == 0 ? 0 : 1);
}

/// Code of a weight, by the definition of the canonical layout.
std::uint32_t canonical_code(const QuantisedMatrix& matrix,
                             const FragmentCase& now,
                             std::int64_t row,
                             std::int64_t column) {
    const auto& [shape, format] = now;
    if (row >= shape.n || column >= shape.k) {
        return 0;
    }
    const std::int64_t bit = (row * shape.k + column) * format.bits;
    const std::uint32_t byte = matrix.weight_data.at(static_cast<std::size_t>(bit / 8));
    return byte >> static_cast<unsigned>(8 - format.bits - bit % 8) &
           ((1U << static_cast<unsigned>(format.bits)) - 1);
}

/// Where a lane's 16 bytes hold weight e of pair p: its word, and its lowest bit there.
struct Position {
    int word;
    int bit;
};

Position position(int bits, int p, int e) {
    switch (bits) {
        case 8:
            return {p / 2, 8 * (2 * (p % 2) + e)};
        case 4:
            return {p / 4, 8 * (p % 4) + (e == 0 ? 4 : 0)};
        case 2:
            return {p / 8, 8 * (p % 8 % 2 + 2 * e) + 2 * (p % 8 / 2)};
        default:
            return {p / 16, (e == 0 ? 15 : 31) - p % 16};
    }
}

/// The weights of one block, weight by weight.
void write_block(const QuantisedMatrix& matrix,
                 const FragmentCase& now,
                 std::int64_t row_0,
                 std::int64_t k_0,
                 std::uint8_t* out) {
    const int bits = now.format.bits;
    for (int t = 0; t < 32; ++t) {
        for (int s = 0; s < 256 / bits / 16; ++s) {
            for (int r = 0; r < 4; ++r) {
                for (int e = 0; e < 2; ++e) {
                    const int row = t / 4 + 8 * (r % 2);
                    const int k = 16 * s + 2 * (t % 4) + 8 * (r / 2) + e;
                    const auto [word, bit] = position(bits, 4 * s + r, e);
                    const std::uint32_t code = canonical_code(matrix, now, row_0 + row, k_0 + k);
                    out[16 * t + 4 * word + bit / 8] |=
                        static_cast<std::uint8_t>(code << static_cast<unsigned>(bit % 8));
                }
            }
        }
    }
}

/// The fragment layout by its definition, one weight and one scale after the other.
FragmentMatrix by_definition(const QuantisedMatrix& matrix, const FragmentCase& now) {
    const auto& [shape, format] = now;
    const std::int64_t kb = 256 / format.bits;
    FragmentMatrix result;
    result.codebook = matrix.codebook;
    for (std::int64_t row_0 = 0; row_0 < shape.n; row_0 += 16) {
        for (std::int64_t k_0 = 0; k_0 < shape.k; k_0 += kb) {
            result.weight_data.resize(result.weight_data.size() + 512);
            write_block(matrix,
                        now,
                        row_0,
                        k_0,
                        result.weight_data.data() + result.weight_data.size() - 512);
        }
    }
    const std::int64_t groups = shape.k / format.group_size;
    for (std::int64_t block = 0; block < ceil_of(shape.n, 16); ++block) {
        for (std::int64_t four = 0; four < ceil_of(groups, 4); ++four) {
            for (int index = 0; index < 8 * 4 * 2; ++index) {
                const std::int64_t row = 16 * block + index / 8 + 8 * (index % 2);
                const std::int64_t group = 4 * four + index / 2 % 4;
                result.scale.push_back(
                    row < shape.n && group < groups
                        ? matrix.scale.at(static_cast<std::size_t>(row * groups + group))
                        : 0);
            }
        }
    }
    return result;
}

}  // namespace

TEST_CASE("The fragment layout is what its definition says, weight by weight") {
    for (const FragmentCase& now : fragment_cases()) {
        CAPTURE(to_string(now.shape), now.format.bits, now.format.group_size);
        const QuantisedMatrix matrix = random_matrix(now);
        const FragmentMatrix expected = by_definition(matrix, now);
        const FragmentMatrix packed = to_fragments(matrix, now.shape, now.format, 1);
        CHECK(packed.weight_data == expected.weight_data);
        CHECK(packed.scale == expected.scale);
        CHECK(packed.codebook == expected.codebook);
        CHECK(std::ssize(packed.weight_data) == fragment_weight_bytes(now.shape, now.format));
        CHECK(std::ssize(packed.scale) == fragment_scales(now.shape, now.format));
    }
}

TEST_CASE("What is packed into fragments unpacks to the same matrix") {
    for (const FragmentCase& now : fragment_cases()) {
        CAPTURE(to_string(now.shape), now.format.bits, now.format.group_size);
        const QuantisedMatrix matrix = random_matrix(now);
        const FragmentMatrix packed = to_fragments(matrix, now.shape, now.format, 3);
        const QuantisedMatrix back = from_fragments(packed, now.shape, now.format, 3);
        CHECK(back.weight_data == matrix.weight_data);
        CHECK(back.scale == matrix.scale);
        CHECK(back.codebook == matrix.codebook);
    }
}

TEST_CASE("Single weights stand where a reader of the specification finds them") {
    const auto packed = [](int bits, std::int64_t row, std::int64_t k) {
        const FragmentCase now{{1, 16, 256 / bits}, {bits, 256 / bits}};
        QuantisedMatrix matrix = random_matrix(now);
        std::ranges::fill(matrix.weight_data, std::uint8_t{0});
        const std::int64_t bit = row * 256 + k * bits;
        matrix.weight_data.at(static_cast<std::size_t>(bit / 8)) =
            static_cast<std::uint8_t>(1U << static_cast<unsigned>(8 - bits - bit % 8));
        const auto data = to_fragments(matrix, now.shape, now.format, 1).weight_data;
        const auto set = std::ranges::find_if(data, [](std::uint8_t byte) { return byte != 0; });
        return std::pair(set - data.begin(), static_cast<int>(*set));
    };
    using Found = std::pair<std::ptrdiff_t, int>;
    // Row 11 is g = 3 of the lower half; k = 13 is c = 2, the second half of a step, e = 1: lane 14
    // and pair 3.
    CHECK(packed(8, 11, 13) == Found{14 * 16 + 7, 1});
    CHECK(packed(4, 11, 13) == Found{14 * 16 + 3, 1});
    CHECK(packed(2, 11, 13) == Found{14 * 16 + 3, 1 << 2});
    CHECK(packed(1, 11, 13) == Found{14 * 16 + 3, 1 << 4});  // bit 28
    // Row 4, k = 22: lane 19, step 1, pair 0, e = 0.
    CHECK(packed(8, 4, 22) == Found{19 * 16 + 8, 1});
    CHECK(packed(4, 4, 22) == Found{19 * 16 + 4, 1 << 4});
    CHECK(packed(2, 4, 22) == Found{19 * 16, 1 << 4});
    CHECK(packed(1, 4, 22) == Found{19 * 16 + 1, 1 << 3});  // bit 11
}

TEST_CASE("The number of threads changes nothing in fragments") {
    const FragmentCase now{{1, 100, 512}, {GENERATE(8, 4, 2, 1), 64}};
    const QuantisedMatrix matrix = random_matrix(now);
    const FragmentMatrix packed = to_fragments(matrix, now.shape, now.format, 1);
    CHECK(to_fragments(matrix, now.shape, now.format, 1000).weight_data == packed.weight_data);
    CHECK(to_fragments(matrix, now.shape, now.format, 5).scale == packed.scale);
}

TEST_CASE("Fragments of what has none, or of other extents, are refused") {
    const FragmentCase now{{1, 16, 64}, {4, 64}};
    const QuantisedMatrix matrix = random_matrix(now);
    CHECK_THROWS_AS(to_fragments(matrix, now.shape, {}, 1), std::invalid_argument);
    CHECK_THROWS_AS(to_fragments(matrix, now.shape, {3, 64}, 1), std::invalid_argument);
    CHECK_THROWS_AS(to_fragments(matrix, now.shape, {4, 48}, 1), std::invalid_argument);
    CHECK_THROWS_AS(to_fragments(matrix, {1, 17, 64}, now.format, 1), std::invalid_argument);
    const FragmentMatrix packed = to_fragments(matrix, now.shape, now.format, 1);
    CHECK_THROWS_AS(from_fragments(packed, {1, 17, 64}, now.format, 1), std::invalid_argument);
    CHECK_THROWS_AS(from_fragments(packed, now.shape, {8, 64}, 1), std::invalid_argument);
    CHECK_THROWS_AS(fragment_weight_bytes(now.shape, {}), std::invalid_argument);
}

namespace {

template <int kBits>
std::vector<std::uint8_t> lane_by_lane(const QuantisedMatrix& matrix,
                                       const FragmentExtents& extents) {
    std::vector<std::uint8_t> packed(extents.weight_bytes());
    for (std::size_t i = 0; i < extents.lanes(); ++i) {
        const auto lane = fragment_lane<kBits>(matrix.weight_data.data(), extents, i);
        std::memcpy(packed.data() + i * sizeof lane, &lane, sizeof lane);
    }
    return packed;
}

std::vector<std::uint8_t> lane_by_lane(const QuantisedMatrix& matrix,
                                       const FragmentExtents& extents,
                                       int bits) {
    switch (bits) {
        case 8:
            return lane_by_lane<8>(matrix, extents);
        case 4:
            return lane_by_lane<4>(matrix, extents);
        case 2:
            return lane_by_lane<2>(matrix, extents);
        default:
            return lane_by_lane<1>(matrix, extents);
    }
}

}  // namespace

TEST_CASE("What the threads of the device's packer make, one after the other, are the fragments") {
    for (const FragmentCase& now : fragment_cases()) {
        CAPTURE(to_string(now.shape), now.format.bits, now.format.group_size);
        const QuantisedMatrix matrix = random_matrix(now);
        const FragmentMatrix expected = to_fragments(matrix, now.shape, now.format, 1);
        const FragmentExtents extents = fragment_extents(matrix, now.shape, now.format);
        CHECK(lane_by_lane(matrix, extents, now.format.bits) == expected.weight_data);
        std::vector<std::uint16_t> scales;
        for (std::size_t i = 0; i < extents.scales(); ++i) {
            scales.push_back(fragment_scale(matrix.scale.data(), extents, i));
        }
        CHECK(scales == expected.scale);
    }
}
