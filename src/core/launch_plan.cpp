#include "src/core/launch_plan.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace fdkbench {

std::string_view to_string(TensorMap::Operand operand) {
    switch (operand) {
        case TensorMap::Operand::kX:
            return "x";
        case TensorMap::Operand::kW:
            return "w";
        case TensorMap::Operand::kScales:
            break;
    }
    return "scales";
}

TensorMap::Operand operand_from(std::string_view word) {
    using enum TensorMap::Operand;
    for (const auto operand : {kX, kW, kScales}) {
        if (word == to_string(operand)) {
            return operand;
        }
    }
    throw std::invalid_argument(fmt::format("unknown operand '{}'", word));
}

std::array<std::uint32_t, 3> grid_for(const LaunchPlan& plan,
                                      const LaunchStep& step,
                                      std::int64_t m) {
    std::array<std::uint32_t, 3> grid = step.grid;
    if (plan.tiling) {
        const auto tiles = static_cast<std::uint32_t>(plan.tiling->tiles(m));
        for (std::size_t axis = 0; axis < grid.size(); ++axis) {
            if (step.grid_per_tile[axis] != 0) {
                grid[axis] = step.grid_per_tile[axis] * tiles;
            }
        }
    }
    return grid;
}

void fit_box(std::span<std::uint32_t> box,
             const LaunchPlan& plan,
             const TensorMap& map,
             std::int64_t m) {
    if (!plan.tiling || map.row_step == 0) {
        return;
    }
    const std::int64_t rows =
        std::min(ceil_div(m, map.row_step) * map.row_step, plan.tiling->m_tile);
    box[1] = static_cast<std::uint32_t>(rows);
    if (map.whole_depth != 0) {
        box[2] = rows == plan.tiling->m_tile ? map.whole_depth : 1;
    }
}

std::optional<LaunchPlan> for_m(LaunchPlan plan, std::int64_t m) {
    if (!plan.tiling || m < 1 || m > plan.tiling->most_m) {
        return std::nullopt;
    }
    for (LaunchStep& step : plan.steps) {
        step.grid = grid_for(plan, step, m);
        for (TensorMap& map : step.tensor_maps) {
            if (map.operand == TensorMap::Operand::kX) {
                map.size.at(1) = static_cast<std::uint64_t>(m);
                fit_box(map.box, plan, map, m);
            }
        }
    }
    if (plan.tiling->workspace_bytes_per_tile != 0) {
        plan.workspace_bytes = plan.tiling->workspace_bytes_per_tile *
                               static_cast<std::uint64_t>(plan.tiling->tiles(m));
    }
    return plan;
}

bool has_matmul(const LaunchPlan& plan) {
    return std::ranges::any_of(
        plan.steps, [](const LaunchStep& step) { return step.kind == LaunchStep::Kind::kMatmul; });
}

std::string_view to_string(LaunchMode mode) {
    return mode == LaunchMode::kPlain ? "plain" : "dependent";
}

LaunchMode launch_mode_from(std::string_view word) {
    for (const auto mode : {LaunchMode::kPlain, LaunchMode::kDependent}) {
        if (word == to_string(mode)) {
            return mode;
        }
    }
    throw std::invalid_argument(fmt::format("unknown launch mode '{}'", word));
}

std::optional<std::string> launch_constraint(const LaunchPlan& plan, LaunchMode mode) {
    const bool all_wait = std::ranges::all_of(plan.steps, [](const LaunchStep& step) {
        return step.kind != LaunchStep::Kind::kKernel || step.waits_for_predecessor;
    });
    if (mode == LaunchMode::kPlain || all_wait) {
        return std::nullopt;
    }
    return "does not wait for its predecessor, so it is only launched plainly";
}

bool has_dependent_launches(const DeviceInfo& device) {
    constexpr int kLeastCapability = 90;
    return device.compute_capability >= kLeastCapability;
}

void require_launch_mode(LaunchMode mode, const DeviceInfo& device) {
    if (mode == LaunchMode::kDependent && !has_dependent_launches(device)) {
        throw UsageError(fmt::format(
            "--launch dependent is not possible on {} ({}): it takes a GPU of compute capability "
            "9.0 or above: type --launch plain, or name such a GPU with --device",
            device.id,
            device.name));
    }
}

}  // namespace fdkbench
