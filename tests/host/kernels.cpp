#include "src/core/accuracy.hpp"
#include "tests/cancelling.hpp"
#include "tests/catch.hpp"
#include "tests/host/fixture.hpp"
#include "tests/kernels/patched.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

constexpr double kMaxNrmse = 4e-3;

/// Not a multiple of any tile of rows.
constexpr std::int64_t kRaggedN = 37;

/// A k with whole blocks of every decoder and a partial one behind them.
std::int64_t ragged_k(std::int64_t group_size) {
    return group_size == 0 ? 712 : (512 / group_size + 3) * group_size;
}

/// One point of the family's space for the problem: value `choice` of each axis, counted round.
Params point(const Family& family, const Problem& problem, std::size_t choice) {
    Params params;
    for (const Axis& axis : family.axes(problem, host_device())) {
        params.set(axis.name, axis.values[choice % axis.values.size()]);
    }
    return params;
}

/// The first valid point and up to `count` − 1 other ones, as different from it as the space has.
std::vector<Params> points(const Family& family, const Problem& problem, std::size_t count) {
    std::vector<Params> valid;
    for (std::size_t choice = 0; choice < 6 && valid.size() < count; ++choice) {
        const Params params = point(family, problem, choice);
        const bool known = std::ranges::find(valid, params) != valid.end();
        if (!known && !family.skips(problem, params, host_device())) {
            valid.push_back(params);
        }
    }
    return valid;
}

double kernel_nrmse(const TemporaryFile& binary,
                    const Family& family,
                    const Problem& problem,
                    const Params& params) {
    const Weights weights = random_weights(problem, 1);
    const auto x = random_activations(problem, 2);
    const auto kernel = host().load(
        binary.path(), family.plan(problem, params, host_device()), problem, LaunchMode::kPlain);
    const auto y = run_kernel(*kernel, problem, x, weights);
    CHECK(run_kernel(*kernel, problem, x, weights) == y);
    return compare(y, problem.type, product(x, weights, problem)).nrmse;
}

/// Compiles each point once and runs it at every m.
void check_points(const Family& family, Problem problem, const std::vector<Params>& all) {
    REQUIRE(all.size() >= 2);
    for (const Params& params : all) {
        const auto binary = compile_kernel(kernel_source(family), problem, params);
        for (const std::int64_t m : {1, 3, 17}) {
            problem.shape.m = m;
            INFO(to_string(problem) << " " << to_string(params));
            CHECK(kernel_nrmse(*binary, family, problem, params) <= kMaxNrmse);
        }
    }
}

/// A kernel with weights and 64 rows of x whose products are all rounding.
struct Cancelling {
    Cancelling(const KernelSource& source, const Family& family, Problem of, const Params& params)
        : problem(of),
          binary(compile_kernel(source, problem, params)),
          plan(family.plan(problem, params, host_device())),
          weights(random_weights(problem, 1)) {
        const auto n = static_cast<std::size_t>(problem.shape.n);
        const auto k = static_cast<std::size_t>(problem.shape.k);
        repeat_halves(weights.packed, weights.packed.size() / n);
        repeat_halves(weights.scale, weights.scale.size() / n);
        problem.shape.m = 64;
        x = negated_halves(random_activations(problem, 2), k);
    }
    /// y for `m` rows of x from `first` on.
    [[nodiscard]] std::vector<std::uint16_t> run(std::int64_t first, std::int64_t m) const {
        Problem part = problem;
        part.shape.m = m;
        const auto begin = x.begin() + first * part.shape.k;
        const auto kernel =
            host().load(binary->path(), for_m(plan, m).value(), part, LaunchMode::kPlain);
        return run_kernel(*kernel, part, {begin, begin + m * part.shape.k}, weights);
    }
    Problem problem;
    std::unique_ptr<TemporaryFile> binary;
    LaunchPlan plan;
    Weights weights;
    std::vector<std::uint16_t> x;
};

/// How many rows are other bits alone, or as one of 5, than as one of 64.
int rows_that_depend_on_m(const Cancelling& kernel) {
    const std::int64_t n = kernel.problem.shape.n;
    const auto all = kernel.run(0, 64);
    const auto five = kernel.run(0, 5);
    CHECK(std::ranges::count(all, 0) < std::ssize(all) / 2);
    int different = std::equal(five.begin(), five.end(), all.begin()) ? 0 : 1;
    for (const std::int64_t row : {0, 1, 2, 3, 4, 63}) {
        const auto alone = kernel.run(row, 1);
        different += std::equal(alone.begin(), alone.end(), all.begin() + row * n) ? 0 : 1;
    }
    return different;
}

}  // namespace

TEST_CASE("A row is the same to the bit whatever other rows there are") {
    require_compiler();
    const int bits = GENERATE(16, 8, 4, 2, 1);
    const std::int64_t m = GENERATE(1, 64);
    const Problem problem{{m, kRaggedN, 768}, {bits, bits == 16 ? 0 : 64}, ElementType::kBf16};
    for (const Family& family : families()) {
        if (family.backend != "host" || family.declines(problem, host_device())) {
            continue;
        }
        const std::vector<Params> all = points(family, problem, 3);
        CHECK_FALSE(all.empty());
        for (const Params& params : all) {
            INFO(family.name << " " << to_string(problem) << " " << to_string(params));
            CHECK(rows_that_depend_on_m({kernel_source(family), family, problem, params}) == 0);
        }
    }
}

TEST_CASE("A kernel that adds up one row in another order is seen to depend on m") {
    require_compiler();
    const Problem problem{{64, kRaggedN, 768}, {4, 64}, ElementType::kBf16};
    const Family& family = family_named("host_lut");
    const KernelSource source = testing::patched(
        family,
        "for (std::int64_t block = 0; block < kFullBlocks; ++block) {",
        "for (std::int64_t i = 0; i < kFullBlocks; ++i) {\n"
        "    const std::int64_t block = arguments_.m == 1 ? kFullBlocks - 1 - i : i;");
    CHECK(rows_that_depend_on_m({source, family, problem, point(family, problem, 0)}) > 0);
}

TEST_CASE("host_lut agrees with the reference for every format, ragged shapes and both types") {
    require_compiler();
    const Family& family = family_named("host_lut");
    const int bits = GENERATE(8, 4, 2, 1);
    const std::int64_t group_size = GENERATE(32, 64, 128, 0);
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const std::int64_t k = ragged_k(group_size);
    // At m = 17 the tiles of m have several rows, and the last is ragged.
    const Problem problem{{17, kRaggedN, k}, {bits, group_size == 0 ? k : group_size}, type};
    check_points(family, problem, points(family, problem, 2));
}

TEST_CASE("host_lut agrees with the reference in every point at m = 1 that decodes by vectors") {
    require_compiler();
    const Family& family = family_named("host_lut");
    const int bits = GENERATE(4, 1);
    const Problem problem{{1, kRaggedN, 704}, {bits, 64}, ElementType::kBf16};
    const Params first = point(family, problem, 0);
    if (family.skips(problem, first, host_device())) {
        return;  // no vectors on this CPU
    }
    for (const std::int64_t rows : {1, 4}) {
        for (const std::int64_t prefetch : {0, 1}) {
            Params params = first;
            params.set("rows_per_tile", rows);
            params.set("prefetch", prefetch);
            const auto binary = compile_kernel(kernel_source(family), problem, params);
            INFO(to_string(problem) << " " << to_string(params));
            CHECK(kernel_nrmse(*binary, family, problem, params) <= kMaxNrmse);
        }
    }
}

TEST_CASE("host_lut decodes a weight at a time where no vector decoder fits the group size") {
    require_compiler();
    const Family& family = family_named("host_lut");
    const Problem problem{{1, 5, 120}, {8, 5}, ElementType::kBf16};
    Params params = point(family, problem, 0);
    REQUIRE(family.skips(problem, params, host_device()));
    params.set("decode", "scalar");
    REQUIRE_FALSE(family.skips(problem, params, host_device()));
    const auto binary = compile_kernel(kernel_source(family), problem, params);
    CHECK(kernel_nrmse(*binary, family, problem, params) <= kMaxNrmse);
}

TEST_CASE("host_dense agrees with the reference for odd k, ragged n and both types") {
    require_compiler();
    const Family& family = family_named("host_dense");
    const std::int64_t k = GENERATE(131, 192);
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const Problem problem{{17, kRaggedN, k}, {16, 0}, type};
    check_points(family, problem, points(family, problem, 3));
}

TEST_CASE("A kernel that is wrong in one place fails the comparison") {
    require_compiler();
    const Problem problem{{3, kRaggedN, 704}, {4, 64}, ElementType::kBf16};
    const Family& family = family_named("host_lut");
    const Params params = point(family, problem, 0);
    const auto nrmse = [&](const std::string& from, const std::string& to) {
        const auto binary = compile_kernel(testing::patched(family, from, to), problem, params);
        return kernel_nrmse(*binary, family, problem, params);
    };
    SECTION("the last block of a row is forgotten") {
        CHECK(nrmse("multiply_tail<kRows>(decoder, w, scales, x, totals);", "") > kMaxNrmse);
    }
    SECTION("the last rows are forgotten") {
        CHECK(nrmse("multiply_tile<1>(decoder, last, m0);", "") > kMaxNrmse);
    }
    SECTION("the codebook of the wrong row of scales is applied") {
        CHECK(nrmse("scales + r * kGroups + first_scale(block)", "scales + first_scale(block)") >
              kMaxNrmse);
    }
}

TEST_CASE("Every skipped point says why and every other one has a plan") {
    const int bits = GENERATE(16, 8, 4, 1);
    const std::int64_t m = GENERATE(1, 4, 64);
    const Problem problem{{m, 4096, 4096}, {bits, bits == 16 ? 0 : 64}, ElementType::kBf16};
    const Family& family = family_named(bits == 16 ? "host_dense" : "host_lut");
    CHECK_FALSE(family.declines(problem, host_device()));
    std::size_t size = 1;
    std::size_t near_first = 1;
    for (const Axis& axis : family.axes(problem, host_device())) {
        size *= axis.values.size();
        near_first += axis.values.size() - 1;
    }
    CHECK(size <= 36);
    CHECK(near_first <= 9);

    DeviceInfo plain = host_device();
    plain.isa = "scalar";
    for (const DeviceInfo& device : {host_device(), plain}) {
        const Params params = point(family, problem, 0);
        const auto reason = family.skips(problem, params, device);
        if (reason) {
            CHECK_FALSE(reason->empty());
        } else {
            const LaunchPlan plan = family.plan(problem, params, device);
            CHECK(plan.steps.size() == 2);
            CHECK(plan.workspace_bytes > 0);
        }
    }
}
