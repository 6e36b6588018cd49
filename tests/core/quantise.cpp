#include "src/core/quantise.hpp"

#include "src/core/half.hpp"
#include "tests/catch.hpp"

#include <cmath>
#include <random>
#include <stdexcept>

using namespace fdkbench;

namespace {

std::vector<std::uint16_t> to_bits(const std::vector<float>& values, ElementType type) {
    std::vector<std::uint16_t> bits;
    for (const float value : values) {
        bits.push_back(to_bits16(value, type));
    }
    return bits;
}

std::vector<float> from_bits(const std::vector<std::uint16_t>& bits, ElementType type) {
    std::vector<float> values;
    for (const std::uint16_t value : bits) {
        values.push_back(from_bits16(value, type));
    }
    return values;
}

/// −1, −7/8 … 7/8 in sixteenths of the range: entry i is (i − 8) ÷ 8, so midpoints are exact.
std::vector<float> eighths() {
    std::vector<float> codebook;
    for (int i = 0; i < 16; ++i) {
        codebook.push_back(static_cast<float>(i - 8) / 8);
    }
    return codebook;
}

/// One row whose length is one group.
QuantisedMatrix quantise_row(const std::vector<float>& row,
                             int bits,
                             const std::vector<float>& codebook,
                             ElementType type) {
    const auto k = static_cast<std::int64_t>(row.size());
    return quantise(to_bits(row, type), {1, 1, k}, {bits, k}, type, to_bits(codebook, type), 1);
}

using Bytes = std::vector<std::uint8_t>;

}  // namespace

TEST_CASE("At 4 and 8 bits the scale is the greatest magnitude, and the first weight comes first") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const auto matrix = quantise_row({2, -1, 0.5, -2}, 4, eighths(), type);
    CHECK(from_bits(matrix.scale, type) == std::vector<float>{2});
    CHECK(matrix.weight_data == Bytes{0xf4, 0xa0});

    std::vector<float> codebook;
    for (int i = 0; i < 256; ++i) {
        codebook.push_back(static_cast<float>(i - 128) / 128);
    }
    const auto wide = quantise_row({-4, 0, 2, 1}, 8, codebook, type);
    CHECK(from_bits(wide.scale, type) == std::vector<float>{4});
    CHECK(wide.weight_data == Bytes{0, 128, 192, 160});
}

TEST_CASE("At 1 and 2 bits the scale is the mean magnitude") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const auto two = quantise_row({1, -1, 0.5, -2.5}, 2, {-1, -0.5, 0.5, 1}, type);
    CHECK(from_bits(two.scale, type) == std::vector<float>{1.25});
    CHECK(two.weight_data == Bytes{0b11'00'10'00});

    const auto one = quantise_row({1, -1, 3, -3, 2, 2, 2, 2}, 1, {-1, 1}, type);
    CHECK(from_bits(one.scale, type) == std::vector<float>{2});
    CHECK(one.weight_data == Bytes{0b10101111});
}

TEST_CASE("A value on a midpoint takes the lower index") {
    CHECK(quantise_row({1, 0.0625}, 4, eighths(), ElementType::kBf16).weight_data == Bytes{0xf8});
    CHECK(quantise_row({1, -0.0625}, 4, eighths(), ElementType::kBf16).weight_data == Bytes{0xf7});
    CHECK(quantise_row({0, 1, -1, 2}, 2, {-1, -0.5, 0.5, 1}, ElementType::kBf16).weight_data ==
          Bytes{0b01'11'00'11});
}

TEST_CASE("Weights are divided by the scale in the element type") {
    // 0.69921875 ÷ 1.015625 = 0.68846 lies above the midpoint 0.6875 in fp32 and in fp16, but is
    // that midpoint when rounded to bf16.
    const std::vector<float> row = {1.015625, 0.69921875};
    CHECK(quantise_row(row, 4, eighths(), ElementType::kBf16).weight_data == Bytes{0xfd});
    CHECK(quantise_row(row, 4, eighths(), ElementType::kFp16).weight_data == Bytes{0xfe});
}

TEST_CASE("A group of zeros has the least scale and dequantises to nearly zero") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const auto matrix = quantise_row({0, 0, 0, 0}, 4, eighths(), type);
    const float scale = from_bits16(matrix.scale.at(0), type);
    CHECK(scale == Approx(type == ElementType::kBf16 ? 1e-12F : 0x1p-24F).epsilon(0.01));
    CHECK(matrix.weight_data == Bytes{0x88, 0x88});
}

TEST_CASE("Dequantising multiplies codebook entries by their group's scale") {
    const ElementType type = ElementType::kBf16;
    const Shape shape{1, 2, 4};
    const WeightFormat format{4, 2};
    const QuantisedMatrix matrix{
        {0xf4, 0xa0, 0x08, 0x19}, to_bits({2, 1, 0.5, 4}, type), to_bits(eighths(), type)};
    std::vector<float> values(8);
    dequantise(matrix, shape, format, type, values, 3);
    CHECK(values == std::vector<float>{1.75, -1, 0.25, -1, -0.5, 0, -3.5, 0.5});
}

TEST_CASE("Even codebooks go from -1 to 1") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    CHECK(from_bits(uniform_codebook(1, type), type) == std::vector<float>{-1, 1});
    for (const int bits : {2, 4, 8}) {
        const auto codebook = from_bits(uniform_codebook(bits, type), type);
        const auto last = static_cast<double>(codebook.size() - 1);
        REQUIRE(codebook.size() == std::size_t{1} << bits);
        for (std::size_t i = 0; i < codebook.size(); ++i) {
            CHECK(std::abs(codebook[i] - (2 * static_cast<double>(i) / last - 1)) < 0.01);
            CHECK(codebook[i] == -codebook[codebook.size() - 1 - i]);
        }
    }
    const auto four = from_bits(uniform_codebook(2, ElementType::kBf16), ElementType::kBf16);
    CHECK(four == std::vector<float>{-1, -0.33203125, 0.33203125, 1});
}

TEST_CASE("An uneven codebook ascends, is not symmetric, and has no equal steps") {
    for (const int bits : {1, 2, 4}) {
        const auto codebook =
            from_bits(uneven_codebook(bits, ElementType::kBf16), ElementType::kBf16);
        REQUIRE(codebook.size() == std::size_t{1} << bits);
        CHECK(codebook.front() == -1);
        CHECK(codebook.back() == Approx(0.8).epsilon(0.01));
        for (std::size_t i = 2; i < codebook.size(); ++i) {
            CHECK(codebook[i] - codebook[i - 1] > codebook[i - 1] - codebook[i - 2]);
        }
    }
    const auto fine = from_bits(uneven_codebook(8, ElementType::kBf16), ElementType::kBf16);
    for (std::size_t i = 1; i < fine.size(); ++i) {
        CHECK(fine[i] > fine[i - 1]);
    }
}

TEST_CASE("A byte table has the codebook values of every byte, first element from the top bits") {
    const std::vector<std::uint16_t> two = {10, 20};
    const auto one_bit = byte_lut(two, 1);
    REQUIRE(one_bit.size() == 256 * 8);
    CHECK(std::vector(one_bit.begin() + 0xc1 * 8, one_bit.begin() + 0xc2 * 8) ==
          std::vector<std::uint16_t>{20, 20, 10, 10, 10, 10, 10, 20});
    const std::vector<std::uint16_t> four = {10, 20, 30, 40};
    const auto two_bits = byte_lut(four, 2);
    REQUIRE(two_bits.size() == 256 * 4);
    CHECK(std::vector(two_bits.begin() + 0x1b * 4, two_bits.begin() + 0x1c * 4) ==
          std::vector<std::uint16_t>{10, 20, 30, 40});
}

TEST_CASE("The number of threads changes nothing") {
    const Shape shape{1, 37, 96};
    const WeightFormat format{GENERATE(8, 4, 2, 1), 32};
    const ElementType type = ElementType::kBf16;
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    std::vector<std::uint16_t> weights(static_cast<std::size_t>(shape.n * shape.k));
    for (auto& weight : weights) {
        weight = to_bits16(normal(random), type);
    }
    const auto codebook = uniform_codebook(format.bits, type);
    const auto single = quantise(weights, shape, format, type, codebook, 1);
    const auto many = quantise(weights, shape, format, type, codebook, 7);
    CHECK(single.weight_data == many.weight_data);
    CHECK(single.scale == many.scale);
    std::vector<float> a(weights.size());
    std::vector<float> b(weights.size());
    dequantise(single, shape, format, type, a, 1);
    dequantise(single, shape, format, type, b, 1000);
    CHECK(a == b);
}

TEST_CASE("Extents that do not fit together are refused") {
    const ElementType type = ElementType::kBf16;
    const std::vector<std::uint16_t> weights(64);
    const auto codebook = uniform_codebook(4, type);
    CHECK_THROWS_AS(quantise(weights, {1, 1, 64}, {3, 64}, type, codebook, 1),
                    std::invalid_argument);
    CHECK_THROWS_AS(quantise(weights, {1, 1, 64}, {4, 48}, type, codebook, 1),
                    std::invalid_argument);
    CHECK_THROWS_AS(quantise(weights, {1, 2, 64}, {4, 64}, type, codebook, 1),
                    std::invalid_argument);
    CHECK_THROWS_AS(quantise(weights, {1, 1, 64}, {8, 64}, type, codebook, 1),
                    std::invalid_argument);
}
