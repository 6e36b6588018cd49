#include "kernels/fragment_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace fdkbench {
namespace {

constexpr std::uint64_t kWidestTile = 16;
constexpr std::int64_t kMostTokens = 32;  // where fragment_wgmma takes more
constexpr int kOtherRegisters = 40;       // addresses, counters, activations
constexpr int kMostThreads = 512;
constexpr std::int64_t kFewWarps = 4;  // along k; fewer are for short k
constexpr int kLittleOfX = 16384;      // bytes a CTA

FragmentMmaTiling tiling(const Problem& problem, const Params& params) {
    const auto number = [&](const char* name) { return static_cast<int>(params.number(name)); };
    return {.format = fragment_tiling(problem, params),
            .m_tile = number("m_tile"),
            .row_tiles = number("row_tiles"),
            .row_warps = number("row_warps"),
            .k_warps = number("k_warps"),
            .cluster = number("cluster")};
}

std::vector<ParamValue> unrolls(int bits) {
    switch (bits) {
        case 8:
            return {std::int64_t{4}, std::int64_t{2}};
        case 4:
            return {std::int64_t{2}, std::int64_t{1}};
        default:
            return {std::int64_t{1}, std::int64_t{2}};
    }
}

std::int64_t widest_tile(const Problem& problem) {
    const auto m = static_cast<std::uint64_t>(problem.shape.m);
    return static_cast<std::int64_t>(std::min(std::bit_ceil(m), kWidestTile));
}

std::vector<Axis> all_axes(const Problem& problem) {
    const std::int64_t m_tile = widest_tile(problem);
    std::vector<ParamValue> m_tiles;
    for (std::int64_t tile = m_tile; tile > 0; tile /= 2) {
        m_tiles.emplace_back(tile);
    }
    const bool one_block = m_tile <= 8;
    return {
        {"row_tiles",
         one_block ? std::vector<ParamValue>{std::int64_t{1}, std::int64_t{2}}
                   : std::vector<ParamValue>{std::int64_t{2}, std::int64_t{4}, std::int64_t{1}}},
        {"row_warps", {std::int64_t{1}, std::int64_t{2}}},
        {"k_warps",
         {std::int64_t{8}, std::int64_t{16}, kFewWarps, std::int64_t{2}, std::int64_t{1}}},
        {"unroll", unrolls(problem.format.bits)},
        {"cluster", {std::int64_t{1}, std::int64_t{2}}},
        {"m_tile", m_tiles},
    };
}

int registers(const FragmentMmaTiling& tiling) {
    const int sums = 2 * 4 * tiling.row_tiles * tiling.column_blocks();
    const int operands = 8 * tiling.row_tiles;
    const int words = 4 * tiling.format.unroll + tiling.format.spans();
    return sums + operands + 2 * tiling.row_tiles * words + kOtherRegisters;
}

std::optional<std::string> exceeds(const FragmentMmaTiling& tiling, const DeviceInfo& device) {
    return fragment_exceeds(device, tiling.threads(), registers(tiling), tiling.shared_bytes());
}

/// Sharing x pays as soon as there is much of it, and only then.
std::optional<std::string> skips_cluster(const FragmentMmaTiling& cut, const DeviceInfo& device) {
    if (!has_dependent_launches(device)) {
        if (cut.cluster > 1) {
            return "a cluster needs compute capability 9.0 or above";
        }
    } else if (cut.cluster > 1 && cut.x_bytes() <= kLittleOfX) {
        return fmt::format("cluster {}: {} bytes of x are soon there", cut.cluster, cut.x_bytes());
    } else if (cut.cluster == 1 && cut.x_bytes() > kLittleOfX) {
        return fmt::format("cluster 1: {} bytes of x are better shared", cut.x_bytes());
    }
    return std::nullopt;
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const FragmentMmaTiling cut = tiling(problem, params);
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
    if (const auto reason = skips_cluster(cut, device)) {
        return reason;
    }
    FragmentMmaTiling wider = cut;
    wider.m_tile *= 2;
    if (cut.m_tile < widest_tile(problem) && !exceeds(wider, device)) {
        return fmt::format(
            "m_tile {}: {} fit, and read the weights less often", cut.m_tile, wider.m_tile);
    }
    return exceeds(cut, device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    return best_first(all_axes(problem), skips, problem, device);
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (problem.shape.m > kMostTokens && wgmma_takes(problem, device)) {
        return fmt::format("is for at most {} tokens where fragment_wgmma takes more", kMostTokens);
    }
    return fragment_declines(problem, device, all_axes, skips);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo& device) {
    const FragmentMmaTiling cut = tiling(problem, params);
    const std::int64_t row_ctas = ceil_div(cut.format.row_blocks(), cut.row_blocks());
    LaunchPlan launch = fragment_plan("fragment_mma",
                                      problem,
                                      ceil_div(row_ctas, cut.cluster) * cut.cluster,
                                      cut.m_tile,
                                      cut.threads(),
                                      cut.shared_bytes());
    launch.steps.front().cluster = static_cast<std::uint32_t>(cut.cluster);
    launch.steps.front().waits_for_predecessor = has_dependent_launches(device);
    return launch;
}

const RegisterFamily registration{{
    .name = "fragment_mma",
    .backend = "cuda",
    .source = "kernels/fragment_mma.cu",
    .summary = "8-, 4-, 2- and 1-bit weights in the fragment layout on tensor cores, few tokens",
    .layout = Layout::kFragment,
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
