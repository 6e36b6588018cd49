#include "src/worker/inputs.hpp"

#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "src/core/input_file.hpp"
#include "src/worker/host_data.hpp"
#include "tests/catch.hpp"
#include "tests/safetensors.hpp"
#include "tests/temporary.hpp"

#include <algorithm>
#include <cmath>

using namespace fdkbench;

namespace {

constexpr Problem kProblem{.shape = {.m = 3, .n = 16, .k = 128},
                           .format = {.bits = 4, .group_size = 64}};

MeasuringPolicy of_file(const std::filesystem::path& file) {
    MeasuringPolicy policy;
    policy.inputs_file = file.string();
    policy.inputs = InputFile(file).name();
    return policy;
}

MeasuringPolicy drawn(const std::string& distribution) {
    MeasuringPolicy policy;
    policy.inputs = distribution;
    return policy;
}

std::vector<float> activations(const HostData& data) {
    return {data.x_values().begin(), data.x_values().end()};
}

double root_mean_square(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) {
        sum += static_cast<double>(value) * value;
    }
    return std::sqrt(sum / static_cast<double>(values.size()));
}

}  // namespace

TEST_CASE("Values of a file become weights and activations, unscaled") {
    const test::TemporaryFile file(
        safetensors_text({f32_tensor("weight", {0.5F, -8, 2}), f32_tensor("x", {3, 4})}));
    HostData data;
    data.prepare(kProblem, InputsKey(of_file(file.path())));
    const auto& weights = data.plain().values;
    REQUIRE(weights.size() == 16 * 128);
    const std::vector<float> first{0.5F, -8, 2, 0.5F, -8};
    CHECK(std::equal(first.begin(), first.end(), weights.begin()));
    CHECK(weights[16 * 128 - 1] == -8);  // 2047 = 3 * 682 + 1
    const std::vector<float> x = activations(data);
    REQUIRE(x.size() == 3 * 128);
    CHECK(x[0] == 3);
    CHECK(x[1] == 4);
    CHECK(x[2] == 3);
    CHECK(data.quantised().values.size() == weights.size());
    CHECK(data.quantised().values[1] < -6);
}

TEST_CASE("Activations are normal where a file has none") {
    const test::TemporaryFile file(safetensors_text({f32_tensor("weight", {0.5F, -8, 2})}));
    HostData data;
    data.prepare(kProblem, InputsKey(of_file(file.path())));
    const std::vector<float> from_file = activations(data);
    CHECK(data.plain().values[1] == -8);
    data.prepare(kProblem, InputsKey(drawn("normal")));
    CHECK(activations(data) == from_file);
    CHECK(data.plain().values[1] != -8);
}

TEST_CASE("A file that changed since is refused with both names") {
    const test::TemporaryFile file(safetensors_text({f32_tensor("weight", {1, 2, 3})}));
    const MeasuringPolicy policy = of_file(file.path());
    HostData data;
    data.prepare(kProblem, InputsKey(policy));
    write_safetensors(file.path(), {f32_tensor("weight", {1, 2, 4})});
    const std::string now = InputFile(file.path()).name();
    HostData another;
    CHECK_THROWS_AS(another.prepare(kProblem, InputsKey(policy)), UsageError);
    CHECK_THROWS_WITH(another.prepare(kProblem, InputsKey(policy)),
                      ContainsSubstring(file.path().string()) && ContainsSubstring(now) &&
                          ContainsSubstring(policy.inputs) &&
                          ContainsSubstring("start the sweep again"));
    // Another place of the same values does not matter.
    const test::TemporaryFile moved(safetensors_text({f32_tensor("weight", {1, 2, 3})}));
    MeasuringPolicy elsewhere = policy;
    elsewhere.inputs_file = moved.path().string();
    another.prepare(kProblem, InputsKey(elsewhere));
    CHECK(another.plain().values == data.plain().values);
}

TEST_CASE("A file that is gone is refused") {
    MeasuringPolicy policy;
    {
        const test::TemporaryFile file(safetensors_text({f32_tensor("weight", {1, 2, 3})}));
        policy = of_file(file.path());
    }
    HostData data;
    CHECK_THROWS_AS(data.prepare(kProblem, InputsKey(policy)), UsageError);
    CHECK_THROWS_WITH(data.prepare(kProblem, InputsKey(policy)),
                      ContainsSubstring(policy.inputs_file));
}

TEST_CASE("Zeros are zero, and as near as the least scale allows when quantised") {
    HostData data;
    data.prepare(kProblem, InputsKey(drawn("zeros")));
    const auto zero = [](float value) { return value == 0; };
    CHECK(std::ranges::all_of(data.x_values(), zero));
    CHECK(std::ranges::all_of(data.plain().values, zero));
    REQUIRE(data.kernel_weights().size() == 16 * 128);
    CHECK(std::ranges::all_of(data.kernel_weights(),
                              [](float value) { return std::abs(value) <= 1e-12F; }));
}

TEST_CASE("Uniform values have the deviation of normal ones and a bound") {
    const Problem large{.shape = {.m = 64, .n = 256, .k = 256}, .format = {}};
    HostData data;
    data.prepare(large, InputsKey(drawn("uniform")));
    const std::vector<float> x = activations(data);
    CHECK(root_mean_square(x) == Approx(1).margin(0.03));
    CHECK(std::ranges::max(x) < 1.75);
    CHECK(std::ranges::min(x) > -1.75);
    CHECK(std::ranges::max(x) > 1.65);
    CHECK(root_mean_square(data.plain().values) == Approx(1.0 / 16).epsilon(0.03));
    CHECK(std::ranges::max(data.plain().values) < 1.75 / 16);
    const auto weights = data.plain().values;

    HostData again;
    again.prepare(large, InputsKey(drawn("uniform")));
    CHECK(activations(again) == x);
    CHECK(again.plain().values == weights);
    again.prepare(large, InputsKey(drawn("normal")));
    CHECK(std::ranges::max(activations(again)) > 2.5);
    CHECK(again.plain().values != weights);
}

TEST_CASE("Inputs that are not known are refused") {
    HostData data;
    CHECK_THROWS_AS(data.prepare(kProblem, InputsKey(drawn("gaussian"))), UsageError);
}
