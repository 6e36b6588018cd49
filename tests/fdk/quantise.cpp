#include "src/core/quantise.hpp"

#include "src/core/fragment.hpp"
#include "src/core/half.hpp"
#include "src/core/safetensors.hpp"
#include "src/fdk/fdk.h"
#include "tests/catch.hpp"

#include <cstdlib>
#include <limits>
#include <random>

using namespace fdkbench;

namespace {

std::string refusal(fdk_status status) {
    REQUIRE(status == FDK_INVALID_ARGUMENT);
    return fdk_last_error();
}

struct Quantised {
    std::vector<std::uint8_t> weight_data;
    std::vector<std::uint16_t> scale;
};

Quantised quantised(const fdk_format& format,
                    const void* weights,
                    fdk_type type,
                    const void* codebook) {
    Quantised result;
    result.weight_data.resize(static_cast<std::size_t>(format.n * format.k * format.bits / 8));
    result.scale.resize(static_cast<std::size_t>(format.n * format.k / format.group_size));
    const fdk_status status = fdk_quantise(
        &format, weights, type, codebook, result.weight_data.data(), result.scale.data());
    INFO(fdk_last_error());
    REQUIRE(status == FDK_OK);
    return result;
}

}  // namespace

TEST_CASE("Weights of another type are rounded first") {
    const fdk_format format{
        .n = 8, .k = 64, .group_size = 32, .bits = 4, .type = FDK_FP16, .layout = FDK_CANONICAL};
    std::mt19937 random(1);
    std::vector<float> weights(512);
    for (float& weight : weights) {
        weight = std::normal_distribution<float>()(random);
    }
    std::vector<std::uint16_t> rounded;
    for (const float weight : weights) {
        rounded.push_back(to_bits16(weight, ElementType::kFp16));
    }
    const Quantised wide = quantised(format, weights.data(), FDK_FP32, nullptr);
    const Quantised narrow = quantised(format, rounded.data(), FDK_FP16, nullptr);
    CHECK(wide.weight_data == narrow.weight_data);
    CHECK(wide.scale == narrow.scale);
}

TEST_CASE("What cannot be quantised is refused in words") {
    fdk_format format{
        .n = 2, .k = 64, .group_size = 32, .bits = 4, .type = FDK_BF16, .layout = FDK_CANONICAL};
    std::vector<float> weights(128, 1);
    std::vector<std::uint8_t> data(64);
    std::vector<std::uint16_t> scale(4);
    const auto quantise_as = [&](const fdk_format* as,
                                 const void* from,
                                 fdk_type type = FDK_FP32,
                                 const void* codebook = nullptr) {
        return fdk_quantise(as, from, type, codebook, data.data(), scale.data());
    };
    REQUIRE(quantise_as(&format, weights.data()) == FDK_OK);

    CHECK_THAT(refusal(quantise_as(nullptr, weights.data())), ContainsSubstring("format is null"));
    CHECK_THAT(refusal(quantise_as(&format, nullptr)), ContainsSubstring("weights is null"));
    CHECK_THAT(
        refusal(fdk_quantise(&format, weights.data(), FDK_FP32, nullptr, nullptr, scale.data())),
        ContainsSubstring("weight_data is null"));
    CHECK_THAT(refusal(quantise_as(&format, weights.data(), 7)),
               ContainsSubstring("weights_type 7"));
    weights[70] = std::numeric_limits<float>::infinity();
    CHECK_THAT(refusal(quantise_as(&format, weights.data())),
               ContainsSubstring("weight [1, 6] is inf"));
    weights[70] = 1e5F;
    CHECK(quantise_as(&format, weights.data()) == FDK_OK);
    format.type = FDK_FP16;
    CHECK_THAT(refusal(quantise_as(&format, weights.data())),
               ContainsSubstring("100000") && ContainsSubstring("fp16"));
    format.type = FDK_FP32;
    CHECK_THAT(refusal(quantise_as(&format, weights.data())), ContainsSubstring("FDK_BF16"));
    format.type = FDK_BF16;

    std::vector<std::uint16_t> codebook(16, 0x3f80);
    codebook[3] = 0;
    CHECK_THAT(refusal(quantise_as(&format, weights.data(), FDK_FP32, codebook.data())),
               ContainsSubstring("ascending"));
    for (const auto& [bits, group_size] :
         {std::pair{3, 32}, std::pair{16, 0}, std::pair{4, 24}, std::pair{4, 0}}) {
        fdk_format bad = format;
        bad.bits = bits;
        bad.group_size = group_size;
        INFO(bits << " bits, groups of " << group_size);
        CHECK_FALSE(refusal(quantise_as(&bad, weights.data())).empty());
    }
    CHECK_THAT(refusal(fdk_uniform_codebook(16, FDK_BF16, codebook.data())),
               ContainsSubstring("16 bits"));
}

TEST_CASE("Fragments are quantised as they are packed, into as many bytes as the library says") {
    const int bits = GENERATE(8, 4, 2, 1);
    fdk_format format{.n = 40,
                      .k = 192,
                      .group_size = 64,
                      .bits = bits,
                      .type = FDK_BF16,
                      .layout = FDK_CANONICAL};
    std::vector<float> weights(40 * 192);
    std::mt19937 random(2);
    for (float& weight : weights) {
        weight = std::normal_distribution<float>()(random);
    }
    const Quantised canonical = quantised(format, weights.data(), FDK_FP32, nullptr);
    std::size_t weight_bytes = 0;
    std::size_t scale_bytes = 0;
    REQUIRE(fdk_operand_bytes(&format, &weight_bytes, &scale_bytes) == FDK_OK);
    CHECK(weight_bytes == canonical.weight_data.size());
    CHECK(scale_bytes == 2 * canonical.scale.size());

    format.layout = FDK_FRAGMENT;
    const FragmentMatrix expected =
        to_fragments({canonical.weight_data, canonical.scale, {}}, {1, 40, 192}, {bits, 64}, 1);
    REQUIRE(fdk_operand_bytes(&format, &weight_bytes, &scale_bytes) == FDK_OK);
    CHECK(weight_bytes == expected.weight_data.size());
    CHECK(scale_bytes == 2 * expected.scale.size());
    std::vector<std::uint8_t> weight_data(weight_bytes);
    std::vector<std::uint16_t> scale(scale_bytes / 2);
    REQUIRE(fdk_quantise(
                &format, weights.data(), FDK_FP32, nullptr, weight_data.data(), scale.data()) ==
            FDK_OK);
    CHECK((weight_data == expected.weight_data));
    CHECK((scale == expected.scale));

    format.bits = 16;
    format.group_size = 0;
    CHECK_THAT(refusal(fdk_operand_bytes(&format, &weight_bytes, &scale_bytes)),
               ContainsSubstring("layout 1") && ContainsSubstring("fewer than 16"));
    format.layout = 5;
    format.bits = 4;
    format.group_size = 64;
    CHECK_THAT(refusal(fdk_operand_bytes(&format, &weight_bytes, &scale_bytes)),
               ContainsSubstring("layout 5"));
    CHECK(weight_bytes == 0);
}

TEST_CASE("Quantising on a device refuses what quantising refuses, and devices that are none") {
    fdk_format format{
        .n = 2, .k = 64, .group_size = 32, .bits = 4, .type = FDK_BF16, .layout = FDK_CANONICAL};
    std::vector<float> weights(128, 1);
    std::vector<std::uint8_t> data(64);
    std::vector<std::uint16_t> scale(4);
    const auto quantise_on = [&](const char* device, const void* from) {
        return fdk_quantise_on(
            device, nullptr, &format, from, FDK_FP32, nullptr, data.data(), scale.data());
    };
    CHECK_THAT(refusal(quantise_on(nullptr, nullptr)), ContainsSubstring("weights is null"));
    for (const char* device : {"host", "cuda", "cuda:x", "cuda:", ""}) {
        CAPTURE(device);
        CHECK(quantise_on(device, weights.data()) == FDK_NO_DEVICE);
        CHECK_THAT(fdk_last_error(), ContainsSubstring("is no device: give cuda:0"));
    }
    CHECK(quantise_on("cuda:99", weights.data()) == FDK_NO_DEVICE);
    format.bits = 16;
    CHECK_THAT(refusal(quantise_on(nullptr, weights.data())), ContainsSubstring("16-bit weights"));
}

TEST_CASE("fdk_quantise gives the golden vectors to the bit") {
    const char* path = std::getenv("FDKBENCH_GOLDEN");
    if (path == nullptr || !std::filesystem::exists(path)) {
        skip_program("there are no golden vectors at $FDKBENCH_GOLDEN");
    }
    const SafetensorsFile file(path);
    const std::string name = GENERATE("b8_g64", "b4_g64", "b2_g64", "b1_g64", "b4_g64_lut");
    INFO(name);
    const Tensor& weight = file.tensor(name + ".weight");
    const auto lut = file.tensor(name + ".byte_lut").elements<std::uint16_t>();
    const auto per_byte = static_cast<std::size_t>(file.tensor(name + ".byte_lut").shape.at(1));
    const fdk_format format{
        .n = weight.shape.at(0),
        .k = weight.shape.at(1),
        .group_size = weight.shape.at(1) / file.tensor(name + ".scale").shape.at(1),
        .bits = static_cast<std::int32_t>(8 / per_byte),
        .type = FDK_BF16,
        .layout = FDK_CANONICAL};
    std::vector<std::uint16_t> codebook;
    for (std::size_t i = 0; i < std::size_t{1} << static_cast<unsigned>(format.bits); ++i) {
        codebook.push_back(lut[i * per_byte + per_byte - 1]);
    }
    const bool is_uniform = name != "b4_g64_lut";
    const auto bits16 = weight.elements<std::uint16_t>();
    const Quantised matrix =
        quantised(format, bits16.data(), FDK_BF16, is_uniform ? nullptr : codebook.data());
    CHECK((matrix.weight_data == file.tensor(name + ".weight_data").elements<std::uint8_t>()));
    CHECK((matrix.scale == file.tensor(name + ".scale").elements<std::uint16_t>()));

    std::vector<float> wide;
    for (const std::uint16_t value : bits16) {
        wide.push_back(from_bits16(value, ElementType::kBf16));
    }
    const Quantised same = quantised(format, wide.data(), FDK_FP32, codebook.data());
    CHECK((same.weight_data == matrix.weight_data));
    CHECK((same.scale == matrix.scale));

    std::vector<std::uint16_t> uniform(codebook.size());
    REQUIRE(fdk_uniform_codebook(format.bits, FDK_BF16, uniform.data()) == FDK_OK);
    CHECK((uniform == codebook) == is_uniform);
}
