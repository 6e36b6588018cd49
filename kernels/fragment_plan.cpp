#include "kernels/fragment_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace fdkbench {
namespace {

constexpr std::int64_t kMultiple = 32;      // of k and groups: two mma steps
constexpr std::int64_t kMostTiles = 65535;  // CTAs along y
constexpr int kRegisters = 16384;           // of a quarter of an SM, which has every fourth warp
constexpr int kMostRegisters = 255;         // of a thread
constexpr int kRegisterStep = 8;            // they are given in multiples of this
constexpr int kMostThreads = 512;
constexpr std::int64_t kFewWarps = 4;  // along k; fewer are for short k

/// Whatever the family for the fragment layout.
std::optional<std::string> declines_any(const Problem& problem, const DeviceInfo& device) {
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
    const int warps = static_cast<int>(ceil_div(threads, 4 * 32));
    const int left = kRegisters / (32 * warps) / kRegisterStep * kRegisterStep;
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
    return nothing_to_try(problem, device, all_axes, skips);
}

std::optional<std::string> nothing_to_try(const Problem& problem,
                                          const DeviceInfo& device,
                                          std::vector<Axis> (*all_axes)(const Problem&),
                                          Skips skips) {
    if (problem.shape.m > kMostTiles) {
        return fmt::format("is for at most {} tokens", kMostTiles);
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

FragmentMmaTiling fragment_mma_tiling(const Problem& problem, const Params& params) {
    const auto number = [&](const char* name) { return static_cast<int>(params.number(name)); };
    return {.format = fragment_tiling(problem, params),
            .m_tile = number("m_tile"),
            .row_tiles = number("row_tiles"),
            .row_warps = number("row_warps"),
            .k_warps = number("k_warps"),
            .cluster = 1};
}

std::int64_t fragment_widest_tile(const Problem& problem, std::uint64_t most) {
    const auto m = static_cast<std::uint64_t>(problem.shape.m);
    return static_cast<std::int64_t>(std::min(std::bit_ceil(m), most));
}

std::vector<ParamValue> fragment_m_tiles(std::int64_t widest) {
    std::vector<ParamValue> tiles;
    for (std::int64_t tile = widest; tile > 0; tile /= 2) {
        tiles.emplace_back(tile);
    }
    return tiles;
}

std::vector<ParamValue> fragment_k_warps() {
    return {std::int64_t{8}, std::int64_t{16}, kFewWarps, std::int64_t{2}, std::int64_t{1}};
}

std::optional<std::string> fragment_warps_skip(const FragmentMmaTiling& cut,
                                               const DeviceInfo& device) {
    if (cut.threads() > kMostThreads) {
        return fmt::format("{} threads a CTA, at most {} are tried", cut.threads(), kMostThreads);
    }
    if ((cut.k_warps - 1) * cut.format.chunk_k() >= cut.format.k) {
        return fmt::format("k_warps {} × chunks of {} exceed k {}: warps would idle",
                           cut.k_warps,
                           cut.format.chunk_k(),
                           cut.format.k);
    }
    if (cut.k_warps < kFewWarps && (kFewWarps - 1) * cut.format.chunk_k() < cut.format.k) {
        return fmt::format(
            "k_warps {}: k {} is long enough for {}", cut.k_warps, cut.format.k, kFewWarps);
    }
    const std::int64_t ctas = ceil_div(cut.format.row_blocks(), cut.row_blocks());
    if (ctas < device.units / 2 && cut.row_blocks() > 1) {
        return fmt::format("{} CTAs leave most of the device's {} SMs idle", ctas, device.units);
    }
    return std::nullopt;
}

std::string fragment_wider_fits(const FragmentMmaTiling& cut) {
    return fmt::format(
        "m_tile {}: {} fit, and read the weights less often", cut.m_tile, 2 * cut.m_tile);
}

LaunchPlan fragment_mma_plan(const std::string& family,
                             const Problem& problem,
                             const FragmentMmaTiling& cut,
                             int shared_bytes,
                             const DeviceInfo& device) {
    const std::int64_t row_ctas = ceil_div(cut.format.row_blocks(), cut.row_blocks());
    LaunchPlan launch = fragment_plan(family,
                                      problem,
                                      ceil_div(row_ctas, cut.cluster) * cut.cluster,
                                      cut.m_tile,
                                      cut.threads(),
                                      shared_bytes);
    launch.steps.front().cluster = static_cast<std::uint32_t>(cut.cluster);
    launch.steps.front().waits_for_predecessor = has_dependent_launches(device);
    return launch;
}

}  // namespace fdkbench
