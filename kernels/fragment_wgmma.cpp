#include "kernels/fragment_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

namespace fdkbench {
namespace {

constexpr std::int64_t kFewTokens = 8;  // up to here one mma block holds them all
constexpr std::uint64_t kNarrowestTile = 16;
constexpr std::uint64_t kWidestTile = 128;
constexpr std::int64_t kManyTokens = 64;  // beyond, half the tile may leave room for more stages
constexpr int kOtherRegisters = 40;       // addresses, counters, decoding
constexpr int kOperands = 32;             // two batches of four steps
constexpr int kMostThreads = 512;
constexpr int kPanelK = 64;  // one row of x in a panel
constexpr std::array<int, 5> kStages{8, 6, 5, 4, 3};

FragmentWgmmaTiling tiling(const Problem& problem, const Params& params) {
    const auto number = [&](const char* name) { return static_cast<int>(params.number(name)); };
    return {.format = fragment_tiling(problem, params),
            .m_tile = number("m_tile"),
            .row_warp_groups = number("row_warp_groups"),
            .k_warp_groups = number("k_warp_groups"),
            .stages = number("stages"),
            .cluster = number("cluster")};
}

/// For one tile of m.
std::int64_t ctas_along_n(const FragmentWgmmaTiling& tiling) {
    return ceil_div(tiling.format.n, tiling.rows()) * tiling.cluster;
}

std::vector<ParamValue> unrolls(int bits) {
    switch (bits) {
        case 8:
            return {std::int64_t{4}, std::int64_t{8}};
        case 4:
            return {std::int64_t{2}, std::int64_t{4}, std::int64_t{1}};
        case 2:
            return {std::int64_t{1}, std::int64_t{2}};
        default:
            return {std::int64_t{1}};
    }
}

std::vector<Axis> all_axes(const Problem& problem) {
    const auto m = static_cast<std::uint64_t>(problem.shape.m);
    const auto m_tile =
        static_cast<std::int64_t>(std::clamp(std::bit_ceil(m), kNarrowestTile, kWidestTile));
    std::vector<ParamValue> stages;
    for (const int depth : kStages) {
        stages.emplace_back(std::int64_t{depth});
    }
    return {
        {"row_warp_groups", {std::int64_t{1}, std::int64_t{2}}},
        {"k_warp_groups", {std::int64_t{2}, std::int64_t{4}, std::int64_t{1}}},
        {"unroll", unrolls(problem.format.bits)},
        {"stages", stages},
        {"cluster", {std::int64_t{2}, std::int64_t{1}}},
        {"m_tile",
         problem.shape.m > kManyTokens ? std::vector<ParamValue>{m_tile, m_tile / 2}
                                       : std::vector<ParamValue>{m_tile}},
    };
}

std::optional<std::string> skips_grid(const Problem& problem,
                                      const FragmentWgmmaTiling& cut,
                                      const DeviceInfo& device) {
    const std::int64_t ctas = ctas_along_n(cut) * ceil_div(problem.shape.m, cut.m_tile);
    if (cut.rounds() < 2 && cut.k_warp_groups > 1) {
        return fmt::format("k {} is less than two stages of {} for each of cluster {}",
                           cut.format.k,
                           cut.stage_k(),
                           cut.cluster);
    }
    if (ctas * 10 < std::int64_t{device.units} * 6 &&
        (cut.row_warp_groups > 1 || cut.cluster < 2)) {
        return fmt::format("{} CTAs leave many of the device's {} SMs idle", ctas, device.units);
    }
    if (cut.cluster > 1 && ctas >= std::int64_t{device.units} * 2) {
        return fmt::format("{} CTAs without splitting k are enough for the device's {} SMs",
                           ctas / cut.cluster,
                           device.units);
    }
    return std::nullopt;
}

/// Only the deepest ring that fits, once and twice on an SM.
std::optional<std::string> skips_stages(const FragmentWgmmaTiling& cut, const DeviceInfo& device) {
    const int useful = std::max(cut.rounds() + 2, kStages.back());
    if (cut.stages > useful) {
        return fmt::format("stages {}: only {} have something to hold", cut.stages, useful);
    }
    const auto deeper_fits = [&](std::int64_t shared_bytes) {
        return std::ranges::any_of(kStages, [&](int depth) {
            FragmentWgmmaTiling deeper = cut;
            deeper.stages = depth;
            return depth > cut.stages && depth <= useful && deeper.shared_bytes() <= shared_bytes;
        });
    };
    const bool twice = cut.shared_bytes() <= device.shared_bytes_per_block / 2;
    if (deeper_fits(twice ? device.shared_bytes_per_block / 2 : device.shared_bytes_per_block)) {
        return fmt::format("stages {}: more fit as well", cut.stages);
    }
    return std::nullopt;
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const FragmentWgmmaTiling cut = tiling(problem, params);
    if (cut.threads() > kMostThreads) {
        return fmt::format("{} threads a CTA, at most {} are tried", cut.threads(), kMostThreads);
    }
    if (cut.format.chunk_k() % kPanelK != 0) {
        return fmt::format("unroll {}: {} weights are not whole panels of {}",
                           cut.format.unroll,
                           cut.format.chunk_k(),
                           kPanelK);
    }
    if (auto reason = skips_grid(problem, cut, device)) {
        return reason;
    }
    if (auto reason = skips_stages(cut, device)) {
        return reason;
    }
    return fragment_exceeds(
        device, cut.threads(), cut.m_tile / 2 + kOperands + kOtherRegisters, cut.shared_bytes());
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    return best_first(all_axes(problem), skips, problem, device);
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (device.arch != "sm_90a") {
        return "needs wgmma, which only sm_90a has";
    }
    if (problem.shape.m <= kFewTokens) {
        return fmt::format("is for more than {} tokens", kFewTokens);
    }
    return fragment_declines(problem, device);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    const FragmentWgmmaTiling cut = tiling(problem, params);
    LaunchPlan plan = fragment_plan("fragment_wgmma",
                                    problem,
                                    ctas_along_n(cut),
                                    cut.m_tile,
                                    cut.threads(),
                                    cut.shared_bytes());
    plan.steps[0].cluster = static_cast<std::uint32_t>(cut.cluster);
    return plan;
}

const RegisterFamily registration{{
    .name = "fragment_wgmma",
    .backend = "cuda",
    .source = "kernels/fragment_wgmma.cu",
    .summary = "8-, 4-, 2- and 1-bit weights in the fragment layout on Hopper's wgmma",
    .layout = Layout::kFragment,
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
