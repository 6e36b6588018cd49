#include "src/model/codebook_fit.hpp"

#include "src/core/accuracy.hpp"
#include "src/core/half.hpp"
#include "src/core/quantise.hpp"
#include "tests/catch.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

using namespace fdkbench;

namespace {

constexpr std::int64_t kRows = 32;
constexpr std::int64_t kColumns = 1024;

using Weights = std::vector<std::uint16_t>;
using Draw = std::function<float(std::mt19937&)>;

Weights drawn(const Draw& draw, ElementType type) {
    std::mt19937 random(100);
    Weights weights(static_cast<std::size_t>(kRows * kColumns));
    for (std::uint16_t& weight : weights) {
        weight = to_bits16(draw(random), type);
    }
    return weights;
}

float normal(std::mt19937& random) {
    return std::normal_distribution<float>(0, 0.02F)(random);
}

Weights fitted(const Weights& weights,
               const WeightFormat& format,
               ElementType type,
               int threads = 2) {
    CodebookFit fit(format, type);
    fit.add(weights, threads);
    return fit.codebook();
}

Accuracy accuracy_with(const Weights& codebook,
                       const Weights& weights,
                       const WeightFormat& format,
                       ElementType type) {
    const Shape shape{1, 1, static_cast<std::int64_t>(weights.size())};
    const auto matrix = quantise(weights, shape, format, type, codebook, 1);
    std::vector<float> values(weights.size());
    dequantise(matrix, shape, format, type, values, 1);
    std::vector<float> exact;
    for (const std::uint16_t weight : weights) {
        exact.push_back(from_bits16(weight, type));
    }
    return compare(values, exact);
}

std::vector<float> floats(const Weights& codebook, ElementType type) {
    std::vector<float> values;
    for (const std::uint16_t entry : codebook) {
        values.push_back(from_bits16(entry, type));
    }
    return values;
}

}  // namespace

TEST_CASE("On normal weights a fitted codebook lowers the error at 2 bits by a fifth and more") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const WeightFormat format{2, 64};
    const Weights weights = drawn(normal, type);
    const Accuracy uniform = accuracy_with(uniform_codebook(2, type), weights, format, type);
    const Accuracy kmeans = accuracy_with(fitted(weights, format, type), weights, format, type);
    CAPTURE(uniform.nrmse, kmeans.nrmse);
    CHECK(kmeans.rmse <= 0.8 * uniform.rmse);
    // The best four values for a normal distribution leave √0.1175 of it.
    CHECK(kmeans.nrmse == Approx(std::sqrt(0.1175)).epsilon(0.02));
}

TEST_CASE("A fitted codebook is never worse than an even one, at any width and on any weights") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const int bits = GENERATE(8, 4, 2, 1);
    const std::int64_t group_size = GENERATE(8, 64, 1024);
    const WeightFormat format{bits, group_size};
    const std::vector<Draw> draws = {
        normal,
        [](std::mt19937& random) { return std::uniform_real_distribution<float>(-1, 1)(random); },
        [](std::mt19937& random) { return std::exponential_distribution<float>(3)(random); },
        [](std::mt19937& random) { return std::cauchy_distribution<float>(0, 0.01F)(random); },
        [](std::mt19937& random) { return random() % 16 == 0 ? 1.0F : 0.0F; },
        [](std::mt19937&) { return 0.0F; },
        [](std::mt19937&) { return -2.5F; },
    };
    for (std::size_t i = 0; i < draws.size(); ++i) {
        CAPTURE(type, bits, group_size, i);
        const Weights weights = drawn(draws[i], type);
        const Weights codebook = fitted(weights, format, type);
        const std::vector<float> values = floats(codebook, type);
        CHECK(values.size() == std::size_t{1} << static_cast<unsigned>(bits));
        CHECK(std::ranges::is_sorted(values));
        CHECK(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }));
        const double even = accuracy_with(uniform_codebook(bits, type), weights, format, type).rmse;
        CHECK(accuracy_with(codebook, weights, format, type).rmse <= even * (1 + 1e-9));
    }
}

TEST_CASE("Weights of as many values as the codebook has are kept exactly") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    // All are multiples of the group's greatest, 1.
    const std::vector<float> values = {-1, -0.875F, -0.5F, 0.0625F, 0.125F, 0.25F, 0.9375F, 1};
    const Weights weights =
        drawn([&](std::mt19937& random) { return values[random() % values.size()]; }, type);
    const WeightFormat format{4, 256};
    CHECK(accuracy_with(uniform_codebook(4, type), weights, format, type).rmse > 0.01);
    CHECK(accuracy_with(fitted(weights, format, type), weights, format, type).rmse == 0);
}

TEST_CASE("A weight counts with the square of its group's scale") {
    const ElementType type = ElementType::kBf16;
    const WeightFormat format{1, 4};
    // Scaled, the first group has ±1 and the second 0 and 2 (its scale is the mean magnitude).
    Weights weights;
    for (const float weight : {1.0F, -1.0F, 1.0F, -1.0F, 64.0F, 0.0F, 64.0F, 0.0F}) {
        weights.push_back(to_bits16(weight, type));
    }
    const std::vector<float> weighted = floats(fitted(weights, format, type), type);
    CHECK(weighted[0] == Approx(0).margin(0.01));
    CHECK(weighted[1] == Approx(2).margin(0.01));
    // Of equal scales, 2 and 1, 1 against 0, 0, −1, −1 is the best cut.
    for (std::size_t i = 0; i < 4; ++i) {
        weights[i] = to_bits16(i % 2 == 0 ? 32.0F : -32.0F, type);
    }
    const std::vector<float> even = floats(fitted(weights, format, type), type);
    CHECK(even == std::vector<float>{-0.5F, 1.5F});
}

TEST_CASE("Every entry is the mean of the scaled weights that take it") {
    const ElementType type = ElementType::kFp16;
    const WeightFormat format{4, 64};
    const Weights weights = drawn(normal, type);
    const Weights codebook = fitted(weights, format, type);
    const std::vector<std::uint8_t> indices = codebook_indices(codebook, type);
    std::vector<double> masses(codebook.size());
    std::vector<double> moments(codebook.size());
    for (std::size_t begin = 0; begin < weights.size(); begin += 64) {
        const auto group = std::span(weights).subspan(begin, 64);
        const float scale = from_bits16(group_scale(group, 4, type), type);
        for (const std::uint16_t weight : group) {
            const std::uint8_t index = indices[scaled(weight, scale, type)];
            masses[index] += static_cast<double>(scale) * scale;
            moments[index] += static_cast<double>(scale) * from_bits16(weight, type);
        }
    }
    for (std::size_t i = 0; i < codebook.size(); ++i) {
        CAPTURE(i);
        CHECK(from_bits16(codebook[i], type) ==
              Approx(moments[i] / masses[i]).epsilon(0.001).margin(0.0005));
    }
}

TEST_CASE("The number of threads does not change a fitted codebook") {
    const ElementType type = ElementType::kBf16;
    const WeightFormat format{4, 64};
    const Weights weights = drawn(normal, type);
    const Weights one = fitted(weights, format, type, 1);
    for (const int threads : {2, 3, 5, 16, 100}) {
        CAPTURE(threads);
        CHECK(fitted(weights, format, type, threads) == one);
    }
}

TEST_CASE("Weights may come in pieces") {
    const ElementType type = ElementType::kBf16;
    const WeightFormat format{2, 64};
    const Weights weights = drawn(normal, type);
    CodebookFit fit(format, type);
    const std::span<const std::uint16_t> all(weights);
    fit.add(all.first(64), 2);
    fit.add(all.subspan(64, 64 * 500), 2);
    fit.add(all.subspan(64 * 501), 2);
    const std::vector<float> pieces = floats(fit.codebook(), type);
    const std::vector<float> whole = floats(fitted(weights, format, type), type);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        CHECK(pieces[i] == Approx(whole[i]).epsilon(0.01));
    }
    CHECK(CodebookFit(format, type).codebook() == uniform_codebook(2, type));
}
