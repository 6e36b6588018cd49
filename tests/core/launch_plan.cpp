#include "src/core/launch_plan.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"

#include <stdexcept>

using namespace fdkbench;

namespace {

LaunchPlan plan_of(const std::vector<bool>& waits) {
    LaunchPlan plan;
    for (const bool wait : waits) {
        plan.steps.emplace_back().waits_for_predecessor = wait;
    }
    return plan;
}

}  // namespace

TEST_CASE("A launch mode is a word") {
    for (const auto mode : {LaunchMode::kPlain, LaunchMode::kDependent}) {
        CHECK(launch_mode_from(to_string(mode)) == mode);
    }
    CHECK(to_string(LaunchMode::kDependent) == "dependent");
    CHECK_THROWS_AS(launch_mode_from("programmatic"), std::invalid_argument);
}

TEST_CASE("Only a plan whose kernels all wait may be launched dependently") {
    for (const auto& waits : {std::vector<bool>{true}, {true, true}}) {
        CHECK_FALSE(launch_constraint(plan_of(waits), LaunchMode::kDependent));
    }
    for (const auto& waits : {std::vector<bool>{false}, {true, false}, {false, true}}) {
        CHECK_THAT(launch_constraint(plan_of(waits), LaunchMode::kDependent).value_or(""),
                   ContainsSubstring("does not wait for its predecessor"));
        CHECK_FALSE(launch_constraint(plan_of(waits), LaunchMode::kPlain));
    }
    LaunchPlan with_library = plan_of({true, false});
    with_library.steps[1].kind = LaunchStep::Kind::kMatmul;
    CHECK_FALSE(launch_constraint(with_library, LaunchMode::kDependent));
}

TEST_CASE("A plan for another m has its grid, workspace and tensor map of x") {
    LaunchPlan plan;
    plan.tiling = RowTiling{.m_tile = 16, .most_m = 100, .workspace_bytes_per_tile = 512};
    plan.workspace_bytes = 1024;
    LaunchStep& tiled = plan.steps.emplace_back();
    tiled.grid = {10, 2, 3};
    tiled.grid_per_tile = {5, 0, 0};
    tiled.tensor_maps.push_back({.size = {4096, 32}, .strides = {8192}, .box = {64, 16}});
    tiled.tensor_maps.push_back(tiled.tensor_maps[0]);
    tiled.tensor_maps[1].operand = TensorMap::Operand::kW;
    plan.steps.emplace_back().grid = {7, 1, 1};

    CHECK(for_m(plan, 17) == [&] {
        LaunchPlan expected = plan;
        expected.steps[0].tensor_maps[0].size[1] = 17;
        return expected;
    }());
    LaunchPlan expected = plan;
    expected.steps[0].grid = {35, 2, 3};
    expected.steps[0].tensor_maps[0].size[1] = 100;
    expected.workspace_bytes = 7 * 512;
    CHECK(for_m(plan, 100) == expected);
    CHECK(grid_for(plan, plan.steps[0], 100) == expected.steps[0].grid);
    CHECK(for_m(plan, 32) == plan);
    for (const std::int64_t m : {-1, 0, 101}) {
        CHECK_FALSE(for_m(plan, m));
    }
    plan.tiling->workspace_bytes_per_tile = 0;
    CHECK(for_m(plan, 100).value().workspace_bytes == 1024);
    plan.steps[0].tensor_maps[0].row_step = 8;
    const auto box = [&](std::int64_t m) {
        const LaunchPlan other = for_m(plan, m).value();
        CHECK(for_m(other, 32) == plan);
        return other.steps[0].tensor_maps[0].box;
    };
    using Box = decltype(box(1));
    for (const std::uint32_t depth : {0u, 4u}) {
        TensorMap& map = plan.steps[0].tensor_maps[0];
        map.box = {64, 16, 4};
        map.whole_depth = depth;
        const std::uint32_t of_fewer = depth == 0 ? 4 : 1;
        CHECK(box(1) == Box{64, 8, of_fewer});
        CHECK(box(8) == Box{64, 8, of_fewer});
        CHECK(box(9) == Box{64, 16, 4});
        CHECK(box(17) == Box{64, 16, 4});
    }
    plan.tiling.reset();
    CHECK_FALSE(for_m(plan, 32));
    CHECK(grid_for(plan, plan.steps[0], 100) == plan.steps[0].grid);
}

TEST_CASE("A device without dependent launches is refused with what to type") {
    DeviceInfo device;
    device.id = "cuda:1";
    device.name = "Fictional 89";
    device.compute_capability = 89;
    CHECK_NOTHROW(require_launch_mode(LaunchMode::kPlain, device));
    CHECK_THROWS_AS(require_launch_mode(LaunchMode::kDependent, device), UsageError);
    CHECK_THROWS_WITH(
        require_launch_mode(LaunchMode::kDependent, device),
        ContainsSubstring("cuda:1 (Fictional 89)") && ContainsSubstring("type --launch plain"));
    device.compute_capability = 90;
    CHECK_NOTHROW(require_launch_mode(LaunchMode::kDependent, device));
}
