// The 2-bit decoder of the fragment layout, run on the host (device.hpp).
#include "kernels/common/fragment_permute.cuh"
#include "src/core/fragment.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/mma_emulation/device.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <span>
#include <vector>

using namespace fdkbench;

namespace {

constexpr Shape kShape{1, 32, 256};
constexpr WeightFormat kFormat{2, 64};
constexpr std::size_t kBlockK = 128;

using Codebook = std::array<float, 4>;

QuantisedMatrix random_matrix(const Codebook& codebook) {
    QuantisedMatrix matrix;
    matrix.weight_data.resize(static_cast<std::size_t>(kShape.n * kShape.k / 4));
    std::mt19937 random(3);
    std::ranges::generate(matrix.weight_data, [&] { return static_cast<std::uint8_t>(random()); });
    const float scale = 1;
    matrix.scale.assign(static_cast<std::size_t>(kShape.n * kShape.k / kFormat.group_size),
                        to_bits16(scale, kEmulatedType));
    for (const float value : codebook) {
        matrix.codebook.push_back(to_bits16(value, kEmulatedType));
    }
    return matrix;
}

/// The lane's part of a block of 16 rows and kBlockK weights of each.
Packed<16> lane_words(const FragmentMatrix& matrix,
                      std::size_t row_block,
                      std::size_t block,
                      std::size_t lane) {
    constexpr std::size_t kBlocks = kShape.k / kBlockK;
    const std::size_t at = ((row_block * kBlocks + block) * 32 + lane) * 16;
    Packed<16> words{};
    std::memcpy(words.words, &matrix.weight_data[at], sizeof words.words);
    return words;
}

/// Calls visit(expected weight, operand's element) for all weights of the matrix.
template <bool kGeneral, typename Visit>
void visit_operands(const QuantisedMatrix& matrix, const FragmentPermute& decoder, Visit visit) {
    const FragmentMatrix fragments = to_fragments(matrix, kShape, kFormat, 1);
    std::vector<float> weights(static_cast<std::size_t>(kShape.n * kShape.k));
    dequantise(matrix, kShape, kFormat, kEmulatedType, weights, 1);
    for (std::size_t i = 0; i < weights.size() / 8; ++i) {
        // Every lane of every step of 16 rows and 16 columns.
        const std::size_t lane = i % 32;
        const std::size_t step = i / 32 % (kShape.k / 16);
        const std::size_t row_block = i / 32 / (kShape.k / 16);
        const Packed<16> words = lane_words(fragments, row_block, step * 16 / kBlockK, lane);
        uint32 a[4];
        decoder.operand<kGeneral>(words, static_cast<int>(step % (kBlockK / 16)), a);
        for (std::size_t r = 0; r < 4; ++r) {
            const std::size_t row = row_block * 16 + lane / 4 + r % 2 * 8;
            const std::size_t column = step * 16 + r / 2 * 8 + lane % 4 * 2;
            const float* expected = &weights[row * kShape.k + column];
            visit(expected[0], low_to_float(a[r]));
            visit(expected[1], high_to_float(a[r]));
        }
    }
}

FragmentPermute decoder_of(const QuantisedMatrix& matrix) {
    emulation::allow_accesses({{matrix.codebook.data(), matrix.codebook.size() * 2}});
    return FragmentPermute(matrix.codebook.data());
}

bool is_general(const Codebook& codebook) {
    return decoder_of(random_matrix(codebook)).build(nullptr);
}

}  // namespace

TEST_CASE("The general decoder of 2 bits gives the weights") {
    const QuantisedMatrix matrix = random_matrix({-1.5f, -0.25f, 0.375f, 3.0f});
    visit_operands<true>(
        matrix, decoder_of(matrix), [](float expected, float got) { REQUIRE(got == expected); });
}

TEST_CASE("The decoder of evenly spaced 2 bits gives the weights in steps") {
    QuantisedMatrix matrix = random_matrix({});
    matrix.codebook = uniform_codebook(kFormat.bits, kEmulatedType);
    const FragmentPermute decoder = decoder_of(matrix);
    CHECK_FALSE(decoder.build(nullptr));
    const float off = kEmulatedType == ElementType::kBf16 ? 0.0012f : 0.00015f;
    visit_operands<false>(matrix, decoder, [&](float expected, float got) {
        REQUIRE(4 * got == std::round(3 * expected));
        REQUIRE(std::abs(decoder.result(got, 0) - expected) <= off);
    });
}

TEST_CASE("Only symmetric and evenly spaced codebooks of 2 bits are taken for that") {
    CHECK_FALSE(is_general({-1.0f, -1.0f / 3, 1.0f / 3, 1.0f}));
    CHECK_FALSE(is_general({-3.0f, -1.0f, 1.0f, 3.0f}));
    CHECK_FALSE(is_general({0.0f, 0.0f, 0.0f, 0.0f}));
    CHECK_FALSE(is_general({0.7f, 0.7f / 3, -0.7f / 3, -0.7f}));
    CHECK(is_general({-1.0f, -0.34f, 0.34f, 1.0f}));
    CHECK(is_general({-1.0f, -1.0f / 3, 1.0f / 3, 1.01f}));
    CHECK(is_general({-1.0f, -0.33f, 1.0f / 3, 1.0f}));
    CHECK(is_general({0.0f, 1.0f, 2.0f, 3.0f}));
    CHECK(is_general({-0x1p-24f, 0.0f, 0.0f, 0x1p-24f}));
    CHECK(is_general({-60000.0f, -100.0f, 100.0f, 60000.0f}));
    if (kEmulatedType == ElementType::kBf16) {  // squares would be 0 or infinite
        CHECK(is_general({-1e-30f, 0.0f, 0.0f, 1e-30f}));
        CHECK(is_general({-1e30f, -1e20f, 1e20f, 1e30f}));
    }
    CHECK(is_general({-1.0f, -1.0f / 3, 1.0f / 3, std::nanf("")}));
}
