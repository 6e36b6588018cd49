#include "src/core/params.hpp"

#include "src/core/error.hpp"
#include "src/core/measuring_policy.hpp"
#include "tests/catch.hpp"

#include <limits>
#include <stdexcept>

using namespace fdkbench;

TEST_CASE("Parameters keep their order, and setting one again replaces its value") {
    Params params({{"warps", 4}, {"decode", "prmt"}});
    params.set("stages", 3);
    params.set("warps", 8);
    CHECK(to_string(params) == "warps=8 decode=prmt stages=3");
    CHECK(params.number("stages") == 3);
    CHECK(params.word("decode") == "prmt");
    CHECK(to_string(Params()).empty());
}

TEST_CASE("Asking for a parameter that is absent or of the other kind names it") {
    const Params params({{"warps", 4}, {"decode", "prmt"}});
    CHECK_THROWS_AS(params.number("decode"), std::out_of_range);
    CHECK_THROWS_AS(params.word("warps"), std::out_of_range);
    CHECK_THROWS_WITH(params.number("tiles"), ContainsSubstring("'tiles'"));
}

TEST_CASE("Parameters become compiler options") {
    const Params params({{"tile_n", -16}, {"decode", "lut-8"}});
    CHECK(defines(params) == std::vector<std::string>{"-DFDK_TILE_N=-16", "-DFDK_DECODE_LUT_8=1"});
}

TEST_CASE("Everything that decides what a number means is in the policy's key") {
    const MeasuringPolicy policy;
    CHECK(policy.key() == "cold5-normal-seed1-nrmse0.004-v6");
    CHECK(MeasuringPolicy{.cache_bytes_factor = 2.5}.key() == "cold2.5-normal-seed1-nrmse0.004-v6");
    CHECK(MeasuringPolicy{.inputs = "uniform"}.key() != policy.key());
    CHECK(MeasuringPolicy{.seed = 2}.key() != policy.key());
    CHECK(MeasuringPolicy{.max_nrmse = 4.0000001e-3}.key() != policy.key());
    CHECK(MeasuringPolicy{.allow_throttling = true}.key() != policy.key());
    CHECK(MeasuringPolicy{.cache = CachePolicy::kHot}.key() == "hot-normal-seed1-nrmse0.004-v6");
    const MeasuringPolicy dependent{.launch_mode = LaunchMode::kDependent};
    CHECK(dependent.key() == "cold5-normal-seed1-nrmse0.004-dependent-v6");
    CHECK(launch_mode_of(dependent.key()) == LaunchMode::kDependent);
    CHECK(launch_mode_of(policy.key()) == LaunchMode::kPlain);
}

TEST_CASE("A policy that nothing can be measured under is refused with what is possible") {
    CHECK_NOTHROW(validate(MeasuringPolicy{}));
    for (const char* drawn : {"normal", "uniform", "zeros"}) {
        CHECK_NOTHROW(validate(MeasuringPolicy{.inputs = drawn}));
    }
    CHECK_NOTHROW(validate(MeasuringPolicy{.inputs = "file:12", .inputs_file = "w.safetensors"}));
    CHECK_THROWS_WITH(validate(MeasuringPolicy{.inputs = "gaussian"}),
                      ContainsSubstring("'gaussian'") &&
                          ContainsSubstring("normal, uniform, zeros or a safetensors file"));
    CHECK_THROWS_WITH(validate(MeasuringPolicy{.cache_bytes_factor = 0}),
                      ContainsSubstring("--cache-policy hot"));
    CHECK_NOTHROW(validate(MeasuringPolicy{.cache = CachePolicy::kHot, .cache_bytes_factor = 0}));
    for (const double factor : {-1.0, 1000.1, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_WITH(validate(MeasuringPolicy{.cache_bytes_factor = factor}),
                          ContainsSubstring("more than 0, up to 1000"));
    }
    for (const double max_nrmse : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_AS(validate(MeasuringPolicy{.max_nrmse = max_nrmse}), UsageError);
    }
}
