#include "src/core/accuracy.hpp"
#include "src/core/half.hpp"
#include "src/core/quantise.hpp"
#include "src/core/safetensors.hpp"
#include "tests/catch.hpp"

using namespace fdkbench;

namespace {

/// One case of the vectors, which another implementation of the format wrote.
struct GoldenCase {
    std::string name;
    Shape shape;
    WeightFormat format;
    SafetensorsFile file;

    [[nodiscard]] const Tensor& tensor(const std::string& what) const {
        return file.tensor(name + "." + what);
    }
};

GoldenCase golden_case(const std::string& name) {
    if (!std::filesystem::exists(FDKBENCH_GOLDEN)) {
        skip_program("there are no golden vectors at " FDKBENCH_GOLDEN);
    }
    GoldenCase golden{name, {}, {}, SafetensorsFile(FDKBENCH_GOLDEN)};
    const auto& weight_shape = golden.tensor("weight").shape;
    const std::int64_t groups = golden.tensor("scale").shape.at(1);
    golden.shape = {golden.tensor("x").shape.at(0), weight_shape.at(0), weight_shape.at(1)};
    golden.format.bits = static_cast<int>(8 / golden.tensor("byte_lut").shape.at(1));
    golden.format.group_size = golden.shape.k / groups;
    return golden;
}

template <typename T>
std::size_t differences(const std::vector<T>& actual, const std::vector<T>& expected) {
    REQUIRE(actual.size() == expected.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        count += actual[i] == expected[i] ? 0 : 1;
    }
    return count;
}

/// A byte's last element stands in its lowest bits.
std::vector<std::uint16_t> codebook_of(const GoldenCase& golden) {
    const auto lut = golden.tensor("byte_lut").elements<std::uint16_t>();
    const std::size_t per_byte = 8 / static_cast<std::size_t>(golden.format.bits);
    std::vector<std::uint16_t> codebook;
    for (std::size_t i = 0; i < std::size_t{1} << golden.format.bits; ++i) {
        codebook.push_back(lut[i * per_byte + per_byte - 1]);
    }
    return codebook;
}

}  // namespace

TEST_CASE("Weights are quantised as the golden vectors have it, to the bit") {
    const std::string name = GENERATE("b8_g64", "b4_g64", "b2_g64", "b1_g64", "b4_g64_lut");
    CAPTURE(name);
    const GoldenCase golden = golden_case(name);
    const auto codebook = codebook_of(golden);
    if (name != "b4_g64_lut") {
        const auto uniform = uniform_codebook(golden.format.bits, ElementType::kBf16);
        CHECK(differences(uniform, codebook) == 0);
    }
    const auto lut = byte_lut(codebook, golden.format.bits);
    CHECK(differences(lut, golden.tensor("byte_lut").elements<std::uint16_t>()) == 0);

    const auto matrix = quantise(golden.tensor("weight").elements<std::uint16_t>(),
                                 golden.shape,
                                 golden.format,
                                 ElementType::kBf16,
                                 codebook,
                                 2);
    // Counted, because a failed comparison of whole vectors would print them.
    CHECK(differences(matrix.scale, golden.tensor("scale").elements<std::uint16_t>()) == 0);
    CHECK(differences(matrix.weight_data, golden.tensor("weight_data").elements<std::uint8_t>()) ==
          0);

    std::vector<float> values(static_cast<std::size_t>(golden.shape.n * golden.shape.k));
    dequantise(matrix, golden.shape, golden.format, ElementType::kBf16, values, 2);
    CHECK(differences(values, golden.tensor("dequantised").elements<float>()) == 0);
}

TEST_CASE("The product of the golden activations and weights is the golden output") {
    const GoldenCase golden = golden_case("b4_g64");
    const auto x = golden.tensor("x").elements<std::uint16_t>();
    const auto w = golden.tensor("dequantised").elements<float>();
    const auto expected = golden.tensor("y").elements<double>();
    const auto n = static_cast<std::size_t>(golden.shape.n);
    const auto k = static_cast<std::size_t>(golden.shape.k);
    std::vector<float> product(expected.size());
    for (std::size_t i = 0; i < product.size(); ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < k; ++j) {
            sum += static_cast<double>(from_bits16(x[i / n * k + j], ElementType::kBf16)) *
                   w[i % n * k + j];
        }
        product[i] = static_cast<float>(sum);
    }
    CHECK(compare(product, std::vector<float>(expected.begin(), expected.end())).nrmse < 1e-6);
}
