#include "kernels/common/fragment_imma_tiling.cuh"
#include "kernels/fragment_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

constexpr std::uint64_t kWidestTile = 4;  // two columns of an mma step are one row of x
constexpr int kMostBits = 2;
constexpr int kOtherRegisters = 40;  // addresses, counters, a span of x and its sums

FragmentImmaTiling tiling(const Problem& problem, const Params& params) {
    return {.warps = fragment_mma_tiling(problem, params)};
}

std::vector<Axis> all_axes(const Problem& problem) {
    const std::int64_t m_tile = fragment_widest_tile(problem, kWidestTile);
    return {
        {"row_tiles", {std::int64_t{2}, std::int64_t{1}}},
        {"row_warps", {std::int64_t{1}, std::int64_t{2}}},
        {"k_warps", fragment_k_warps()},
        {"unroll", {std::int64_t{1}, std::int64_t{2}}},
        {"m_tile", fragment_m_tiles(m_tile)},
    };
}

int registers(const FragmentImmaTiling& tiling) {
    const FragmentMmaTiling& warps = tiling.warps;
    const int words = 4 * warps.format.unroll + warps.format.spans();
    const int sums = 2 * 2 * warps.format.bits;
    return warps.row_tiles * (2 * words + sums) + kOtherRegisters;
}

std::optional<std::string> exceeds(const FragmentImmaTiling& tiling, const DeviceInfo& device) {
    return fragment_exceeds(
        device, tiling.warps.threads(), registers(tiling), tiling.shared_bytes());
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const FragmentImmaTiling cut = tiling(problem, params);
    if (auto reason = fragment_warps_skip(cut.warps, device)) {
        return reason;
    }
    FragmentImmaTiling wider = cut;
    wider.warps.m_tile *= 2;
    if (cut.warps.m_tile < fragment_widest_tile(problem, kWidestTile) && !exceeds(wider, device)) {
        return fragment_wider_fits(cut.warps);
    }
    return exceeds(cut, device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    return best_first(all_axes(problem), skips, problem, device);
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (!problem.format.quantised() || problem.format.bits > kMostBits) {
        return "takes weights apart into bits: 2 or 1 are few enough";
    }
    constexpr int kSpanK = FragmentImmaTiling::kSpanK;
    const std::int64_t group_size = problem.format.group_size;
    if (problem.shape.k % kSpanK != 0 ||
        (group_size != problem.shape.k && group_size % kSpanK != 0)) {
        return fmt::format(
            "needs k to be a multiple of {0}, and a group size that is k or one, too", kSpanK);
    }
    if (problem.shape.m > static_cast<std::int64_t>(kWidestTile)) {
        return fmt::format("converts each row of x for each CTA: at most {}", kWidestTile);
    }
    return fragment_declines(problem, device, all_axes, skips);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo& device) {
    const FragmentImmaTiling cut = tiling(problem, params);
    return fragment_mma_plan("fragment_imma", problem, cut.warps, cut.shared_bytes(), device);
}

const RegisterFamily registration{{
    .name = "fragment_imma",
    .backend = "cuda",
    .source = "kernels/fragment_imma.cu",
    .summary = "2- and 1-bit weights in the fragment layout, multiplied as integers, few tokens",
    .layout = Layout::kFragment,
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
