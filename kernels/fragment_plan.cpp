#include "kernels/fragment_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {
namespace {

constexpr std::int64_t kMultiple = 32;      // of k and groups: two mma steps
constexpr std::int64_t kMostTiles = 65535;  // CTAs along y
constexpr int kRegisters = 65536;           // of an SM
constexpr int kMostRegisters = 255;         // of a thread
constexpr int kRegisterStep = 8;            // they are given in multiples of this

/// Whatever the family.
std::optional<std::string> declines_any(const Problem& problem, const DeviceInfo& device) {
    if (problem.shape.m > kMostTiles) {
        return fmt::format("is for at most {} tokens", kMostTiles);
    }
    const std::int64_t k = problem.shape.k;
    const std::int64_t group_size = problem.format.group_size;
    if (!problem.format.quantised()) {
        return "reads packed weights of 8, 4, 2 or 1 bits only";
    }
    if (k % kMultiple != 0 || (group_size != k && group_size % kMultiple != 0)) {
        return fmt::format(
            "needs k to be a multiple of {0}, and a group size that is k or one, too", kMultiple);
    }
    return declines_device(device);
}

}  // namespace

FragmentTiling fragment_tiling(const Problem& problem, const Params& params) {
    return {.bits = problem.format.bits,
            .group_size = static_cast<int>(problem.format.group_size),
            .n = static_cast<int>(problem.shape.n),
            .k = static_cast<int>(problem.shape.k),
            .unroll = static_cast<int>(params.number("unroll"))};
}

std::optional<std::string> fragment_exceeds(const DeviceInfo& device,
                                            int threads,
                                            int registers,
                                            int shared_bytes) {
    if (auto reason = exceeds_shared(shared_bytes, device)) {
        return reason;
    }
    const int left = kRegisters / threads / kRegisterStep * kRegisterStep;
    return exceeds_registers(registers, threads, std::min(left, kMostRegisters));
}

std::optional<Params> first_valid(const std::vector<Axis>& axes,
                                  Skips skips,
                                  const Problem& problem,
                                  const DeviceInfo& device) {
    // Counts through the axes' values, the last axis fastest.
    std::vector<std::size_t> at(axes.size(), 0);
    while (true) {
        Params point;
        for (std::size_t i = 0; i < axes.size(); ++i) {
            point.set(axes[i].name, axes[i].values[at[i]]);
        }
        if (!skips(problem, point, device)) {
            return point;
        }
        std::size_t i = axes.size();
        while (i > 0 && ++at[i - 1] == axes[i - 1].values.size()) {
            at[--i] = 0;
        }
        if (i == 0) {
            return std::nullopt;
        }
    }
}

std::optional<std::string> fragment_declines(const Problem& problem,
                                             const DeviceInfo& device,
                                             std::vector<Axis> (*all_axes)(const Problem&),
                                             Skips skips) {
    if (auto reason = declines_any(problem, device)) {
        return reason;
    }
    const std::vector<Axis> axes = all_axes(problem);
    if (first_valid(axes, skips, problem, device)) {
        return std::nullopt;
    }
    return "skips all points: " + skips(problem, first_values(axes), device).value_or("");
}

std::vector<Axis> best_first(std::vector<Axis> axes,
                             Skips skips,
                             const Problem& problem,
                             const DeviceInfo& device) {
    const std::optional<Params> best = first_valid(axes, skips, problem, device);
    if (best) {
        for (Axis& axis : axes) {
            const auto found = std::ranges::find(axis.values, ParamValue{best->number(axis.name)});
            std::rotate(axis.values.begin(), found, found + 1);
        }
    }
    return axes;
}

LaunchPlan fragment_plan(const std::string& family,
                         const Problem& problem,
                         std::int64_t ctas,
                         int m_tile,
                         int threads,
                         int shared_bytes) {
    LaunchStep step;
    step.kernel = family;
    const RowTiling tiling{.m_tile = m_tile, .most_m = kMostTiles * m_tile};
    step.grid[0] = static_cast<std::uint32_t>(ctas);
    step.grid[1] = static_cast<std::uint32_t>(tiling.tiles(problem.shape.m));
    step.grid_per_tile[1] = 1;
    step.block[0] = static_cast<std::uint32_t>(threads);
    step.shared_bytes = static_cast<std::uint32_t>(shared_bytes);
    return {.steps = {step}, .workspace_bytes = 0, .tiling = tiling};
}

}  // namespace fdkbench
