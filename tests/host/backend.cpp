#include "src/core/accuracy.hpp"
#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "tests/catch.hpp"
#include "tests/host/fixture.hpp"

#include <algorithm>
#include <fstream>

using namespace fdkbench;
using namespace fdkbench::test;

TEST_CASE("The host is one device with cores, caches and memory") {
    const DeviceInfo device = host_device();
    CHECK(device.id == "host");
    CHECK(device.backend == "host");
    CHECK(device.arch == "native");
    CHECK(device.units >= 1);
    CHECK(device.cache_bytes >= 1 << 20);
    CHECK(device.cache_bytes <= 64 << 20);
    CHECK(device.memory_bytes > device.cache_bytes);
    CHECK_FALSE(device.name.empty());
    CHECK_THAT(device.key, ContainsSubstring(device.name));
    CHECK_THAT(device.key, ContainsSubstring(device.isa));
    for (const auto& [name, value] : device.facts) {
        CHECK(name.starts_with("L"));
    }
    CHECK_THROWS_AS(host().open(1), EnvironmentError);
}

TEST_CASE("Buffers are aligned, hold what is copied, and an impossible size is an error") {
    const auto a = host().allocate(1000);
    const auto b = host().allocate(5000);
    CHECK(reinterpret_cast<std::uintptr_t>(a->data()) % 256 == 0);
    host().fill(*a, std::byte{7});
    host().fill(*b, std::byte{9});
    host().copy(*b, *a);
    std::vector<std::byte> bytes(2);
    host().download(bytes, *b, 999);
    CHECK(bytes == std::vector{std::byte{7}, std::byte{9}});

    CHECK_THROWS_AS(host().allocate(std::size_t{1} << 60U), EnvironmentError);
    CHECK_THROWS_WITH(host().allocate(std::size_t{1} << 60U),
                      ContainsSubstring("1152921504606846976 bytes needed"));
}

TEST_CASE("Every baseline and the reference agree with a product in double") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const std::int64_t m = GENERATE(1, 17);
    const Problem problem{{m, 48, 131}, {16, 0}, type};
    const Weights weights = random_weights(problem, 3);
    const auto x = random_activations(problem, 4);
    const auto expected = product(x, weights, problem);

    const auto baselines = host().baselines(problem);
    REQUIRE(baselines.size() == 2);
    CHECK(baselines[0]->name() != baselines[1]->name());
    for (const auto& baseline : baselines) {
        INFO(baseline->name());
        CHECK(baseline->name().starts_with("oneDNN "));
        const auto y = run_kernel(*baseline, problem, x, weights);
        CHECK(compare(y, type, expected).nrmse < 4e-3);
    }

    std::vector<float> x_values(x.size());
    std::ranges::transform(
        x, x_values.begin(), [&](std::uint16_t element) { return from_bits16(element, type); });
    std::vector<float> y(expected.size());
    const auto held = host().hold(std::as_bytes(std::span(weights.values)));
    CHECK(held->data() == weights.values.data());  // not copied
    CHECK(held->bytes() == weights.values.size() * sizeof(float));
    host().reference(x_values, *held, y, problem.shape);
    CHECK(compare(y, expected).nrmse < 1e-6);
}

TEST_CASE("A binary that cannot be loaded is a candidate's failure") {
    LaunchPlan plan;
    plan.steps.resize(1);
    plan.steps[0].kernel = "absent_function";
    const TemporaryFile rubbish(std::vector<std::byte>(100, std::byte{1}));
    CHECK_THROWS_AS(host().load(rubbish.path(), plan, {}, LaunchMode::kPlain), CandidateError);
    CHECK_THROWS_AS(host().load("/nowhere/kernel.so", plan, {}, LaunchMode::kPlain),
                    CandidateError);
}

TEST_CASE("A replay launches every element of its rotation and gives the time of one") {
    const Problem problem{{1, 64, 64}, {16, 0}, ElementType::kBf16};
    const Weights weights = random_weights(problem, 5);
    const auto x = random_activations(problem, 6);
    std::vector<std::vector<std::uint16_t>> outputs(3, std::vector<std::uint16_t>(64));
    std::vector<Arguments> rotation;
    for (auto& y : outputs) {
        rotation.push_back({.x = x.data(), .w = weights.packed.data(), .y = y.data(), .m = 1});
    }
    const auto baselines = host().baselines(problem);
    for (const auto& baseline : baselines) {
        std::ranges::for_each(outputs, [](auto& y) { std::ranges::fill(y, 0); });
        const auto replay = host().record(*baseline, rotation);
        CHECK(replay->time_us() > 0);
        CHECK(outputs[0] != std::vector<std::uint16_t>(64));
        CHECK(outputs[0] == outputs[1]);
        CHECK(outputs[0] == outputs[2]);
    }
}

TEST_CASE("More cold bytes take longer to read, and the ceilings are all there") {
    const double small_us = host().read_floor_us(4 << 20);
    CHECK(small_us > 0);
    CHECK(host().read_floor_us(64 << 20) > small_us);
    CHECK(host().read_floor_us(4 << 20) == small_us);
    CHECK(host().matmul_tflop_s() > 0);

    const auto ceilings = host().ceilings();
    for (const char* what : {"read", "copy", "launch", "matmul"}) {
        CHECK(std::ranges::any_of(ceilings,
                                  [&](const Ceiling& c) { return c.what == what && c.value > 0; }));
    }
}
