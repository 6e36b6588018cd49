#include "src/core/half.hpp"
#include "src/core/quantise.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/mma_emulation/device.hpp"

#include <bit>
#include <limits>
#include <random>

#define __global__
#define __launch_bounds__(threads)

namespace {

struct {
    unsigned x;
} const blockDim{64};

unsigned __shfl_xor_sync(unsigned /*mask*/, unsigned value, unsigned lanes) {
    return emulation::exchange_lanes(value, static_cast<int>(lanes));
}

double __shfl_xor_sync(unsigned mask, double value, unsigned lanes) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t low = __shfl_xor_sync(mask, static_cast<unsigned>(bits), lanes);
    const std::uint64_t high = __shfl_xor_sync(mask, static_cast<unsigned>(bits >> 32U), lanes);
    return std::bit_cast<double>(high << 32U | low);
}

void atomicMin(unsigned long long* least, unsigned long long value) {
    *least = std::min(*least, value);
}

}  // namespace

#include "src/cuda/quantise_kernels.cu"

namespace {

constexpr unsigned long long kAllFinite = std::numeric_limits<unsigned long long>::max();

struct Quantised {
    QuantisedMatrix matrix;
    unsigned long long not_finite = kAllFinite;
};

NumberType number_type(ElementType type) {
    return type == ElementType::kBf16 ? NumberType::kBf16 : NumberType::kFp16;
}

/// By the kernel, CTA after CTA.
Quantised emulated(QuantiseArguments arguments,
                   const Shape& shape,
                   const WeightFormat& format,
                   ElementType type,
                   const std::vector<std::uint16_t>& codebook) {
    Quantised result;
    const auto weights = static_cast<std::size_t>(shape.n * shape.k);
    const std::vector<std::uint8_t> codes = codebook_indices(codebook, type);
    arguments.groups = weights / static_cast<std::size_t>(format.group_size);
    // What is behind belongs to nobody.
    result.matrix.weight_data.assign(weights * static_cast<std::size_t>(format.bits) / 8 + 8, 0xa5);
    result.matrix.scale.assign(arguments.groups + 4, 0xa5a5);
    arguments.codes = codes.data();
    arguments.weight_data = result.matrix.weight_data.data();
    arguments.scale = result.matrix.scale.data();
    arguments.not_finite = &result.not_finite;
    arguments.group_size = static_cast<unsigned>(format.group_size);
    arguments.bits = static_cast<unsigned>(format.bits);
    arguments.type = number_type(type);
    arguments.least_scale = least_scale(type);
    const Extent warps = blockDim.x / 32;
    for (Extent block = 0; block < (arguments.groups + warps - 1) / warps; ++block) {
        emulation::run_cta({static_cast<int>(block), 0},
                           static_cast<int>(blockDim.x),
                           static_cast<unsigned>(block),
                           [&] { quantise(arguments); });
    }
    return result;
}

void check_same(const Quantised& emulated, const QuantisedMatrix& expected) {
    const auto& [weight_data, scale, codebook] = emulated.matrix;
    CHECK(std::vector(weight_data.begin(), weight_data.end() - 8) == expected.weight_data);
    CHECK(std::vector(scale.begin(), scale.end() - 4) == expected.scale);
    CHECK(std::vector(weight_data.end() - 8, weight_data.end()) ==
          std::vector<std::uint8_t>(8, 0xa5));
    CHECK(std::vector(scale.end() - 4, scale.end()) == std::vector<std::uint16_t>(4, 0xa5a5));
}

std::vector<std::uint16_t> random_weights(std::size_t count, ElementType type) {
    std::mt19937 random(3);
    std::vector<std::uint16_t> weights(count);
    for (std::size_t i = 0; i < count; ++i) {
        // Also groups of zeros, and of values that a scale is hardly small enough for.
        const float size = i / 64 % 5 == 0 ? 0.0F : i / 64 % 5 == 1 ? 1e-7F : 0.02F;
        weights[i] = to_bits16(std::normal_distribution<float>(0, 1)(random) * size, type);
    }
    return weights;
}

}  // namespace

TEST_CASE("The kernel quantises to the same bytes as the CPU") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const int bits = GENERATE(8, 4, 2, 1);
    for (const auto& [n, k, group_size] :
         {std::tuple(3, 192, 64), {1, 8, 8}, {5, 96, 32}, {2, 360, 360}, {7, 48, 24}}) {
        const Shape shape{1, n, k};
        const WeightFormat format{bits, group_size};
        CAPTURE(bits, n, k, group_size, static_cast<int>(type));
        const auto weights = random_weights(static_cast<std::size_t>(n * k), type);
        for (const auto& codebook : {uniform_codebook(bits, type), uneven_codebook(bits, type)}) {
            QuantiseArguments arguments;
            arguments.weights = weights.data();
            arguments.weights_type = number_type(type);
            const Quantised result = emulated(arguments, shape, format, type, codebook);
            check_same(result, fdkbench::quantise(weights, shape, format, type, codebook, 1));
            CHECK(result.not_finite == kAllFinite);
        }
    }
}

TEST_CASE("The kernel rounds weights of another type first") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const ElementType other = type == ElementType::kBf16 ? ElementType::kFp16 : ElementType::kBf16;
    const Shape shape{1, 4, 128};
    const WeightFormat format{GENERATE(4, 1), 64};
    const auto codebook = uniform_codebook(format.bits, type);
    const auto given = random_weights(512, other);
    std::vector<float> wide;
    std::vector<std::uint16_t> rounded;
    for (std::size_t i = 0; i < given.size(); ++i) {
        wide.push_back(from_bits16(given[i], other));
        rounded.push_back(to_bits16(wide.back(), type));
    }
    const QuantisedMatrix expected = fdkbench::quantise(rounded, shape, format, type, codebook, 1);
    QuantiseArguments arguments;
    arguments.weights = given.data();
    arguments.weights_type = number_type(other);
    check_same(emulated(arguments, shape, format, type, codebook), expected);
    arguments.weights = wide.data();
    arguments.weights_type = NumberType::kFp32;
    check_same(emulated(arguments, shape, format, type, codebook), expected);
}

TEST_CASE("The kernel says which weight is the first that is not finite") {
    const ElementType type = ElementType::kFp16;
    const Shape shape{1, 4, 128};
    const WeightFormat format{GENERATE(8, 2), 64};
    const auto codebook = uniform_codebook(format.bits, type);
    std::vector<float> weights(512, 1);
    QuantiseArguments arguments;
    arguments.weights = weights.data();
    arguments.weights_type = NumberType::kFp32;
    weights[300] = std::numeric_limits<float>::quiet_NaN();
    weights[77] = -1e6F;  // fp16 ends at 65504
    weights[131] = std::numeric_limits<float>::infinity();
    CHECK(emulated(arguments, shape, format, type, codebook).not_finite == 77);
    weights[77] = 1;
    CHECK(emulated(arguments, shape, format, type, codebook).not_finite == 131);
}
