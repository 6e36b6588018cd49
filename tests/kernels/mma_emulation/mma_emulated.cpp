// The mma kernels' own sources, run on the host (tests/kernels/mma_emulation).
#include "kernels/common/mma_decode.cuh"
#include "kernels/common/mma_tile.cuh"
#include "src/core/quantise.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/mma_emulation/device.hpp"
#include "tests/kernels/mma_emulation/product.hpp"

#include <random>
#include <vector>

using namespace fdkbench;

namespace {

/// Weights as a kernel takes them, and what they stand for.
struct TestWeights {
    QuantisedMatrix packed;
    std::vector<float> values;  ///< [n,k]
};

TestWeights make_weights(const MmaTiling& tiling) {
    const auto n = static_cast<std::size_t>(tiling.n);
    const auto k = static_cast<std::size_t>(tiling.k);
    std::mt19937 random(7);
    TestWeights weights;
    weights.values.resize(n * k);
    if (tiling.bits == 16) {
        const std::vector<std::uint16_t> elements = random_elements(n * k, 8);
        for (std::size_t i = 0; i < n * k; ++i) {
            weights.values[i] = from_bits16(elements[i], kType);
            weights.packed.weight_data.push_back(static_cast<std::uint8_t>(elements[i] & 0xff));
            weights.packed.weight_data.push_back(static_cast<std::uint8_t>(elements[i] >> 8));
        }
        return weights;
    }
    weights.packed.weight_data.resize(n * k * static_cast<std::size_t>(tiling.bits) / 8);
    for (std::uint8_t& byte : weights.packed.weight_data) {
        byte = static_cast<std::uint8_t>(random());
    }
    const auto group_size = static_cast<std::size_t>(tiling.group_size);
    weights.packed.scale = random_elements(n * k / group_size, 9);
    weights.packed.codebook = random_elements(std::size_t{1} << tiling.bits, 10);
    const Shape shape{1, tiling.n, tiling.k};
    dequantise(weights.packed, shape, {tiling.bits, tiling.group_size}, kType, weights.values, 1);
    return weights;
}

/// What the kernel makes of x [m,k] and the weights, [m,n], then one element behind it.
template <MmaTiling kTiling, class Decoder>
std::vector<std::uint16_t> run_kernel(const std::vector<std::uint16_t>& x,
                                      const QuantisedMatrix& weights,
                                      int m,
                                      unsigned seed) {
    alignas(16) static std::uint8_t shared[kTiling.shared_bytes()];
    std::vector<std::uint16_t> y(static_cast<std::size_t>(m * kTiling.n) + 1, kPoison);
    emulation::allow_accesses({{shared, sizeof shared},
                               {x.data(), x.size() * 2},
                               {weights.weight_data.data(), weights.weight_data.size()},
                               {weights.scale.data(), weights.scale.size() * 2},
                               {weights.codebook.data(), weights.codebook.size() * 2}});
    const Operands operands{x.data(),
                            weights.weight_data.data(),
                            weights.scale.data(),
                            weights.codebook.data(),
                            y.data(),
                            m};
    const int n_tiles = (kTiling.n + kTiling.tile_n() - 1) / kTiling.tile_n();
    const int m_tiles = (m + kTiling.m_tile - 1) / kTiling.m_tile;
    for (int block = 0; block < n_tiles * m_tiles; ++block) {
        std::fill(std::begin(shared), std::end(shared), std::uint8_t{0xff});
        emulation::run_cta({block, 0}, kTiling.threads(), seed + static_cast<unsigned>(block), [&] {
            MmaTile<kTiling, Decoder>::run(operands, shared);
        });
    }
    return y;
}

template <MmaTiling kTiling, class Decoder>
void check(int m, double allowed) {
    CAPTURE(kTiling.bits, kTiling.group_size, kTiling.n, kTiling.k, kTiling.stages, m);
    const auto n = static_cast<std::size_t>(kTiling.n);
    const auto k = static_cast<std::size_t>(kTiling.k);
    const auto rows = static_cast<std::size_t>(m);
    const TestWeights weights = make_weights(kTiling);
    const std::vector<std::uint16_t> x = random_elements(rows * k, 11);
    std::vector<double> reference(rows * n);
    for (std::size_t i = 0; i < rows * n; ++i) {
        for (std::size_t j = 0; j < k; ++j) {
            reference[i] += static_cast<double>(from_bits16(x[i / n * k + j], kType)) *
                            weights.values[i % n * k + j];
        }
    }
    const auto y = run_kernel<kTiling, Decoder>(x, weights.packed, m, 1);
    CHECK(nrmse(to_floats(y), reference) < allowed);
    CHECK(y.back() == kPoison);
    CHECK(run_kernel<kTiling, Decoder>(x, weights.packed, m, 2) == y);
}

/// What rounding y to bf16 may cost at these sizes, and what rounding weights as well.
constexpr double kRounded = 2.2e-3;
constexpr double kRoundedTwice = 4e-3;

constexpr MmaTiling kSmall{.bits = 16,
                           .group_size = 0,
                           .n = 32,
                           .k = 256,
                           .row_tiles = 1,
                           .m_tile = 8,
                           .row_warps = 1,
                           .k_warps = 2,
                           .unroll = 2,
                           .stages = 0,
                           .scale_first = false,
                           .table_bytes = 0};

struct Change {
    int n = 32;
    int k = 256;
    int row_tiles = 1;
    int m_tile = 8;
    int row_warps = 1;
    int unroll = 2;
    int stages = 0;
    bool scale_first = false;
};

template <class Decoder>
constexpr MmaTiling tiling(int bits, int group_size, const Change& change = {}) {
    MmaTiling result = kSmall;
    result.bits = bits;
    result.group_size = group_size;
    result.n = change.n;
    result.k = change.k;
    result.row_tiles = change.row_tiles;
    result.m_tile = change.m_tile;
    result.row_warps = change.row_warps;
    result.unroll = change.unroll;
    result.stages = change.stages;
    result.scale_first = change.scale_first;
    result.table_bytes = Decoder::kBytes;
    return result;
}

/// Every way to scale, for one decoder: group sizes 32, 64, 128 and k.
template <int kBits, class Decoder>
void check_groups() {
    check<tiling<Decoder>(kBits, 32), Decoder>(3, kRounded);
    check<tiling<Decoder>(kBits, 64), Decoder>(3, kRounded);
    check<tiling<Decoder>(kBits, 128), Decoder>(3, kRounded);
    check<tiling<Decoder>(kBits, 256), Decoder>(3, kRounded);
    check<tiling<Decoder>(kBits, 32, {.scale_first = true}), Decoder>(3, kRoundedTwice);
    check<tiling<Decoder>(kBits, 128, {.scale_first = true}), Decoder>(3, kRoundedTwice);
    check<tiling<Decoder>(kBits, 64, {.n = 40, .k = 320, .m_tile = 16, .stages = 2}), Decoder>(
        11, kRounded);
    check<tiling<Decoder>(kBits, 96, {.k = 288, .unroll = 1, .scale_first = true}), Decoder>(
        1, kRoundedTwice);
    check<tiling<Decoder>(kBits, 1000, {.n = 23, .k = 1000}), Decoder>(2, kRounded);
}

}  // namespace

#ifdef __SANITIZE_THREAD__
TEST_CASE("Threads that are emulated are none to ThreadSanitizer") {
    skip_program("ThreadSanitizer does not follow swapcontext; only one thread runs here anyway");
}
#endif

TEST_CASE("8-bit weights are looked up in a table") {
    check_groups<8, TablePairs<8, 32>>();
}

TEST_CASE("4-bit weights are looked up in a table") {
    check_groups<4, TablePairs<4, 32>>();
    check_groups<4, TablePairs<4, 16>>();
}

TEST_CASE("2-bit weights are looked up in a table") {
    check_groups<2, TablePairs<2, 16>>();
}

TEST_CASE("2-bit weights are decoded by byte permutation") {
    check_groups<2, PermutePairs>();
}

TEST_CASE("1-bit weights are looked up in a table") {
    check_groups<1, TablePairs<1, 16>>();
}

TEST_CASE("1-bit weights are decoded by selection") {
    check_groups<1, SelectPairs>();
}

TEST_CASE("Plain weights of any row length are multiplied") {
    check<tiling<PlainPairs>(16, 0), PlainPairs>(8, kRounded);
    check<tiling<PlainPairs>(16, 0, {.n = 17, .k = 104}), PlainPairs>(5, kRounded);
    check<tiling<PlainPairs>(16, 0, {.n = 33, .k = 77}), PlainPairs>(9, kRounded);
    check<tiling<PlainPairs>(16, 0, {.k = 130, .m_tile = 16, .stages = 2}), PlainPairs>(17,
                                                                                        kRounded);
}

TEST_CASE("Large tiles share activations through a ring in shared memory") {
    constexpr Change kLarge{
        .n = 100, .k = 576, .row_tiles = 2, .m_tile = 32, .row_warps = 2, .unroll = 1, .stages = 3};
    check<tiling<PlainPairs>(16, 0, kLarge), PlainPairs>(45, kRounded);
    check<tiling<TablePairs<4, 32>>(4, 64, kLarge), TablePairs<4, 32>>(45, kRounded);
    check<tiling<PermutePairs>(2, 32, kLarge), PermutePairs>(45, kRounded);
}

TEST_CASE("Rows of 8-bit weights may have odd lengths") {
    using Table = TablePairs<8, 32>;
    check<tiling<Table>(8, 93, {.n = 19, .k = 93}), Table>(3, kRounded);
    check<tiling<Table>(8, 93, {.k = 93, .m_tile = 16, .stages = 2}), Table>(9, kRounded);
}

TEST_CASE("Threads that wait for others in vain are found") {
    CHECK_THROWS_AS(emulation::run_cta({0, 0},
                                       64,
                                       0,
                                       [] {
                                           if (threadIdx.x < 32) {
                                               __syncthreads();
                                           }
                                       }),
                    std::logic_error);
}
