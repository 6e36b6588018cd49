#include "kernels/fragment_ring_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace fdkbench {
namespace {

constexpr std::int64_t kFewTokens = 16;  // up to here mma needs less of the tensor cores' time
constexpr std::uint64_t kWidestTile = 256;
constexpr std::int64_t kManyTokens = 64;  // beyond, smaller tiles may leave room for more stages
constexpr int kOtherRegisters = 30;       // addresses, counters, decoding

FragmentRingTiling tiling(const Problem& problem, const Params& params) {
    const auto number = [&](const char* name) { return static_cast<int>(params.number(name)); };
    return wgmma_ring(fragment_tiling(problem, params),
                      {.m_tile = number("m_tile"),
                       .row_warp_groups = number("row_warp_groups"),
                       .k_warp_groups = number("k_warp_groups"),
                       .stages = number("stages"),
                       .cluster = number("cluster")});
}

/// 4 × row_warp_groups below.
const RingCuts kCuts{.row_blocks = {4, 8, 12, 16}, .clusters = {1, 2}};

std::vector<ParamValue> unrolls(int bits) {
    switch (bits) {
        case 8:
            return {std::int64_t{4}, std::int64_t{2}};
        case 4:
            return {std::int64_t{2}, std::int64_t{4}, std::int64_t{1}};
        case 2:
            return {std::int64_t{1}, std::int64_t{2}};
        default:
            return {std::int64_t{1}};
    }
}

std::vector<ParamValue> m_tiles(std::int64_t m) {
    const auto widest = static_cast<std::int64_t>(
        std::min(std::bit_ceil(static_cast<std::uint64_t>(m)), kWidestTile));
    std::vector<ParamValue> tiles{widest};
    for (std::int64_t tile = widest / 2; tile >= kManyTokens; tile /= 2) {
        tiles.emplace_back(tile);
    }
    return tiles;
}

std::vector<Axis> all_axes(const Problem& problem) {
    return {
        {"row_warp_groups", {std::int64_t{2}, std::int64_t{1}, std::int64_t{3}, std::int64_t{4}}},
        {"k_warp_groups", {std::int64_t{2}, std::int64_t{1}, std::int64_t{4}}},
        {"unroll", unrolls(problem.format.bits)},
        {"stages", ring_stages()},
        {"cluster", {std::int64_t{2}, std::int64_t{1}}},
        {"m_tile", m_tiles(problem.shape.m)},
    };
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const FragmentRingTiling ring = tiling(problem, params);
    const int batches = ring.format.chunk_k() / 16 / wgmma_batch_steps(ring.m_tile);
    if (batches % 2 != 0) {
        return fmt::format("unroll {}: batches of {} steps do not take turns in a chunk of {}",
                           ring.format.unroll,
                           wgmma_batch_steps(ring.m_tile),
                           ring.format.chunk_k());
    }
    const int operands = 2 * 4 * wgmma_batch_steps(ring.m_tile);
    return ring_skips(problem, ring, kCuts, ring.m_tile / 2 + operands + kOtherRegisters, device);
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
    return fragment_declines(problem, device, all_axes, skips);
}

}  // namespace

bool wgmma_takes(const Problem& problem, const DeviceInfo& device) {
    return !declines(problem, device);
}

namespace {

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    return ring_plan("fragment_wgmma", problem, tiling(problem, params));
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
