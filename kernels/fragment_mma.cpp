#include "kernels/fragment_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

constexpr std::uint64_t kWidestTile = 16;
constexpr int kOtherRegisters = 40;       // addresses, counters, activations
constexpr std::int64_t kMostTokens = 32;  // where fragment_wgmma takes more
constexpr int kLittleOfX = 16384;         // bytes a CTA; with more sharing pays
constexpr int kClusters = 90;             // the compute capability that brought them

FragmentMmaTiling tiling(const Problem& problem, const Params& params) {
    FragmentMmaTiling cut = fragment_mma_tiling(problem, params);
    cut.cluster = static_cast<int>(params.number("cluster"));
    return cut;
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
    return fragment_widest_tile(problem, kWidestTile);
}

std::vector<Axis> all_axes(const Problem& problem) {
    const std::int64_t m_tile = widest_tile(problem);
    const bool one_block = m_tile <= 8;
    return {
        {"row_tiles",
         one_block ? std::vector<ParamValue>{std::int64_t{1}, std::int64_t{2}}
                   : std::vector<ParamValue>{std::int64_t{2}, std::int64_t{4}, std::int64_t{1}}},
        {"row_warps", {std::int64_t{1}, std::int64_t{2}}},
        {"k_warps", fragment_k_warps()},
        {"unroll", unrolls(problem.format.bits)},
        {"cluster", {std::int64_t{1}, std::int64_t{2}}},
        {"m_tile", fragment_m_tiles(m_tile)},
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

/// At kLittleOfX itself both are tried.
std::optional<std::string> skips_cluster(const FragmentMmaTiling& cut, const DeviceInfo& device) {
    const int x_bytes = cut.m_tile * cut.format.k * 2;
    if (device.compute_capability < kClusters) {
        if (cut.cluster > 1) {
            return "a cluster needs compute capability 9.0 or above";
        }
    } else if (cut.cluster > 1 && x_bytes < kLittleOfX) {
        return fmt::format("cluster {}: {} bytes of x are soon there", cut.cluster, x_bytes);
    } else if (cut.cluster == 1 && x_bytes > kLittleOfX) {
        return fmt::format("cluster 1: {} bytes of x are better shared", x_bytes);
    }
    return std::nullopt;
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const FragmentMmaTiling cut = tiling(problem, params);
    if (const auto reason = fragment_warps_skip(cut, device)) {
        return reason;
    }
    if (const auto reason = skips_cluster(cut, device)) {
        return reason;
    }
    FragmentMmaTiling wider = cut;
    wider.m_tile *= 2;
    if (cut.m_tile < widest_tile(problem) && !exceeds(wider, device)) {
        return fragment_wider_fits(cut);
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
    return fragment_mma_plan("fragment_mma", problem, cut, cut.shared_bytes(), device);
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
