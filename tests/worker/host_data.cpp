#include "src/worker/host_data.hpp"

#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "tests/catch.hpp"

#include <algorithm>

using namespace fdkbench;

namespace {

Problem problem(std::int64_t m, WeightFormat format) {
    return {.shape = {.m = m, .n = 16, .k = 128}, .format = format};
}

}  // namespace

TEST_CASE("A new m keeps the weights and the first rows of x") {
    HostData data;
    data.prepare(problem(2, {4, 64}), InputsKey({}));
    const Uninitialised<std::uint16_t> x(data.x().begin(), data.x().end());
    const auto* weights = data.plain().data.data();
    const auto* dequantised = data.quantised().values.data();
    REQUIRE(x.size() == 2 * 128);

    data.prepare(problem(5, {4, 64}), InputsKey({}));
    CHECK(data.x().size() == 5 * 128);
    CHECK(std::equal(x.begin(), x.end(), data.x().begin()));
    CHECK(data.plain().data.data() == weights);
    CHECK(data.quantised().values.data() == dequantised);
}

TEST_CASE("Every format is quantised from the same 16-bit weights") {
    HostData data;
    data.prepare(problem(1, {}), InputsKey({}));
    const Uninitialised<std::uint16_t> plain = data.plain().data;
    CHECK(data.quantised().values.empty());
    CHECK(data.kernel_weights().data() == data.plain().values.data());

    data.prepare(problem(1, {2, 32}), InputsKey({}));
    CHECK(data.plain().data == plain);
    CHECK(data.quantised().matrix.weight_data.size() == 16 * 128 / 4);
    CHECK(data.quantised().matrix.scale.size() == 16 * 128 / 32);
    CHECK(data.kernel_weights().data() == data.quantised().values.data());

    data.prepare(problem(1, {2, 32}), InputsKey({.seed = 2}));
    CHECK(data.plain().data != plain);
}

TEST_CASE("Dequantised weights are near the 16-bit weights") {
    HostData data;
    data.prepare(problem(1, {8, 64}), InputsKey({}));
    double worst = 0;
    for (std::size_t i = 0; i < data.plain().values.size(); ++i) {
        worst =
            std::max<double>(worst, std::abs(data.plain().values[i] - data.quantised().values[i]));
    }
    CHECK(worst < 0.01);
    CHECK(worst > 0);
}

TEST_CASE("Data that no memory can hold is an error that names the bytes") {
    HostData data;
    const Problem huge{.shape = {.m = 1, .n = 1 << 24, .k = 1 << 24}, .format = {}};
    CHECK_THROWS_WITH(data.prepare(huge, InputsKey({})),
                      ContainsSubstring("1688") && ContainsSubstring("bytes of host memory"));
    CHECK_THROWS_AS(data.prepare(huge, InputsKey({})), EnvironmentError);
}
