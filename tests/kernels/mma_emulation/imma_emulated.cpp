// The work of fragment_imma's CTAs, run on the host (device.hpp).
#include "kernels/common/fragment_imma.cuh"
#include "src/core/fragment.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/mma_emulation/device.hpp"
#include "tests/kernels/mma_emulation/product.hpp"

#include <algorithm>
#include <bit>

using namespace fdkbench;

namespace {

/// Before y is rounded.
constexpr double kAllowed = 3e-4;

/// n = 40 and k = 576 are no multiples of what warps take.
struct Change {
    int k = 576;
    int m_tile = 1;
    int row_tiles = 1;
    int row_warps = 1;
    int k_warps = 2;
    int unroll = 1;
};

constexpr FragmentImmaTiling tiling(int bits, int group_size, const Change& change = {}) {
    return {.warps = {.format = {.bits = bits,
                                 .group_size = group_size,
                                 .n = 40,
                                 .k = change.k,
                                 .unroll = change.unroll},
                      .m_tile = change.m_tile,
                      .row_tiles = change.row_tiles,
                      .row_warps = change.row_warps,
                      .k_warps = change.k_warps,
                      .cluster = 1}};
}

enum class Codebook { kSymmetric, kUneven };

std::vector<std::uint16_t> codebook(int bits, Codebook kind) {
    std::vector<float> values;
    if (kind == Codebook::kSymmetric) {
        values = bits == 1 ? std::vector<float>{-0.7F, 0.7F}
                           : std::vector<float>{-1.5F, -0.4F, 0.4F, 1.5F};
    } else {
        values = bits == 1 ? std::vector<float>{-0.3F, 1.1F}
                           : std::vector<float>{-1.2F, -0.1F, 0.6F, 2.5F};
    }
    std::vector<std::uint16_t> elements;
    for (const float value : values) {
        elements.push_back(to_bits16(value, kType));
    }
    return elements;
}

/// A product of random numbers; rows of x differ in size, and so do their spans.
struct Case {
    Shape shape;
    FragmentMatrix weights;
    std::vector<std::uint16_t> x;
    std::vector<float> values;  ///< of the weights, [n,k]

    Case(const FragmentImmaTiling& tiling, int m, Codebook kind)
        : shape{m, tiling.warps.format.n, tiling.warps.format.k} {
        const FragmentTiling& cut = tiling.warps.format;
        const WeightFormat format{cut.bits, cut.group_size};
        const auto weights_count = static_cast<std::size_t>(cut.n * cut.k);
        QuantisedMatrix matrix;
        std::mt19937 random(7);
        for (std::size_t i = 0; i < weights_count * static_cast<std::size_t>(cut.bits) / 8; ++i) {
            matrix.weight_data.push_back(static_cast<std::uint8_t>(random()));
        }
        matrix.scale = random_elements(weights_count / static_cast<std::size_t>(cut.group_size), 9);
        matrix.codebook = codebook(cut.bits, kind);
        values.resize(weights_count);
        dequantise(matrix, shape, format, kType, values, 1);
        weights = to_fragments(matrix, shape, format, 1);
        x = random_elements(static_cast<std::size_t>(m * cut.k), 11);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto span = static_cast<int>(i / 64);
            const float factor = span % 5 == 3 ? 0.0F : std::ldexp(1.0F, span * 5 % 7 - 3);
            x[i] = to_bits16(from_bits16(x[i], kType) * factor, kType);
        }
    }

    [[nodiscard]] std::vector<double> product() const {
        const auto n = static_cast<std::size_t>(shape.n);
        const auto k = static_cast<std::size_t>(shape.k);
        std::vector<double> y(static_cast<std::size_t>(shape.m) * n);
        for (std::size_t i = 0; i < y.size(); ++i) {
            for (std::size_t j = 0; j < k; ++j) {
                y[i] += static_cast<double>(from_bits16(x[i / n * k + j], kType)) *
                        static_cast<double>(values[i % n * k + j]);
            }
        }
        return y;
    }
};

/// What the kernel makes of it, [m,n], then one element behind it.
template <FragmentImmaTiling kTiling>
std::vector<std::uint16_t> run_kernel(const Case& given, Rounding rounding, unsigned seed) {
    alignas(128) static std::uint8_t shared[kTiling.shared_bytes()];
    const auto& [shape, weights, x, values] = given;
    std::vector<std::uint16_t> y(static_cast<std::size_t>(shape.m * shape.n) + 1, kPoison);
    emulated_rounding = rounding;
    emulation::allow_accesses({{shared, sizeof shared},
                               {x.data(), x.size() * 2},
                               {weights.weight_data.data(), weights.weight_data.size()},
                               {weights.scale.data(), weights.scale.size() * 2},
                               {weights.codebook.data(), weights.codebook.size() * 2}});
    const ImmaArguments arguments{x.data(),
                                  weights.weight_data.data(),
                                  weights.scale.data(),
                                  weights.codebook.data(),
                                  y.data(),
                                  static_cast<int>(shape.m)};
    const FragmentMmaTiling& warps = kTiling.warps;
    const int row_ctas = FragmentTiling::divide_up(warps.format.row_blocks(), warps.row_blocks());
    for (int tile = 0; tile * warps.m_tile < arguments.m; ++tile) {
        for (int block = 0; block < row_ctas; ++block) {
            std::fill(std::begin(shared), std::end(shared), std::uint8_t{0xff});
            emulation::run_cta({block, tile}, warps.threads(), seed++, [&] {
                FragmentImma<kTiling>::run(arguments, shared);
            });
        }
    }
    emulated_rounding = Rounding::kNearest;
    return y;
}

/// Before it is rounded.
template <FragmentImmaTiling kTiling>
std::vector<float> exact_result(const Case& given) {
    const auto upper = run_kernel<kTiling>(given, Rounding::kUpperBits, 1);
    const auto lower = run_kernel<kTiling>(given, Rounding::kLowerBits, 2);
    CHECK(upper.back() == kPoison);
    std::vector<float> y;
    for (std::size_t i = 0; i + 1 < upper.size(); ++i) {
        y.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(upper[i]) << 16U | lower[i]));
    }
    return y;
}

template <FragmentImmaTiling kTiling>
void check(int m, Codebook kind) {
    const FragmentMmaTiling& warps = kTiling.warps;
    CAPTURE(warps.format.bits, warps.format.group_size, warps.format.k, warps.m_tile);
    CAPTURE(warps.row_tiles, warps.row_warps, warps.k_warps, warps.format.unroll, m);
    CAPTURE(kind == Codebook::kSymmetric);
    const Case given(kTiling, m, kind);
    const std::vector<float> y = exact_result<kTiling>(given);
    const std::vector<double> product = given.product();
    const auto n = static_cast<std::size_t>(warps.format.n);
    for (std::size_t row = 0; row < y.size(); row += n) {
        CAPTURE(row / n);
        CHECK(nrmse(std::vector(y.begin() + row, y.begin() + row + n),
                    std::vector(product.begin() + row, product.begin() + row + n)) < kAllowed);
    }
}

/// A product of x times powers of two is that of x, rounded at the same places.
template <int kBits>
void check_exponent(int exponent) {
    constexpr FragmentImmaTiling kTiling = tiling(kBits, 64, {.m_tile = 2});
    CAPTURE(kBits, exponent);
    Case given(kTiling, 2, Codebook::kUneven);
    const float factor = std::ldexp(1.0F, exponent);
    given.x = random_elements(given.x.size(), 5);
    for (std::uint16_t& element : given.x) {
        element = to_bits16(from_bits16(element, kType) * factor, kType);
    }
    CHECK(nrmse(exact_result<kTiling>(given), given.product()) < kAllowed);
}

/// One of x is not a number: all of its row's results are none, and the other row is as ever.
template <int kBits>
void check_not_a_number(float value) {
    constexpr FragmentImmaTiling kTiling = tiling(kBits, 64, {.m_tile = 2});
    Case given(kTiling, 2, Codebook::kSymmetric);
    const std::vector<float> before = exact_result<kTiling>(given);
    given.x[77] = to_bits16(value, kType);
    const std::vector<float> after = exact_result<kTiling>(given);
    const std::size_t n = after.size() / 2;
    CHECK(std::all_of(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(n), [](float y) {
        return std::isnan(y);
    }));
    CHECK(std::equal(after.begin() + static_cast<std::ptrdiff_t>(n),
                     after.end(),
                     before.begin() + static_cast<std::ptrdiff_t>(n)));
}

template <int kBits>
void check_all(Codebook kind) {
    check<tiling(kBits, 64)>(1, kind);
    check<tiling(kBits, 64, {.m_tile = 4, .row_tiles = 2})>(4, kind);
    check<tiling(kBits, 64, {.m_tile = 4, .unroll = 2})>(5, kind);
    check<tiling(kBits, 64, {.m_tile = 2, .row_warps = 2})>(3, kind);
    check<tiling(kBits, 128, {.k = 640, .m_tile = 2, .unroll = 2})>(2, kind);
    check<tiling(kBits, 128, {.k = 4224, .m_tile = 4, .k_warps = 4})>(3, kind);
    check<tiling(kBits, 128, {.k = 4224, .k_warps = 4})>(1, kind);
    check<tiling(kBits, 192)>(1, kind);
    check<tiling(kBits, 576, {.k_warps = 1})>(1, kind);
    check<tiling(kBits, 576, {.m_tile = 4, .row_tiles = 2, .unroll = 2})>(2, kind);
}

}  // namespace

TEST_CASE("1-bit weights of a symmetric codebook are multiplied as integers") {
    check_all<1>(Codebook::kSymmetric);
}

TEST_CASE("1-bit weights of any codebook are multiplied as integers") {
    check_all<1>(Codebook::kUneven);
}

TEST_CASE("2-bit weights of a symmetric codebook are multiplied as integers") {
    check_all<2>(Codebook::kSymmetric);
}

TEST_CASE("2-bit weights of any codebook are multiplied as integers") {
    check_all<2>(Codebook::kUneven);
}

TEST_CASE("Large and small values of x keep their digits") {
    for (const int exponent : {-90, -40, 60, 110}) {
        check_exponent<1>(exponent);
        check_exponent<2>(exponent);
    }
}

TEST_CASE("The largest mantissas fit the planes") {
    constexpr FragmentImmaTiling kTiling = tiling(1, 64, {.m_tile = 2});
    Case given(kTiling, 2, Codebook::kSymmetric);
    for (std::size_t i = 0; i < given.x.size(); ++i) {
        // Up to the largest of bf16, 255/128, and of both signs; in every other span less.
        const auto mantissa = static_cast<std::uint16_t>(0x3f80U + 0x78U + i % 8);
        given.x[i] = static_cast<std::uint16_t>(mantissa | (i % 3 == 0 ? 0x8000U : 0U));
        if (i / 64 % 2 == 1) {
            given.x[i] = static_cast<std::uint16_t>(given.x[i] & 0xfffeU);
        }
    }
    CHECK(nrmse(exact_result<kTiling>(given), given.product()) < kAllowed);
}

TEST_CASE("Inf and NaN in x are seen in y") {
    for (const float value : {std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        check_not_a_number<1>(value);
        check_not_a_number<2>(value);
    }
}
