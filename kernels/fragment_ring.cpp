#include "kernels/fragment_ring_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace fdkbench {
namespace {

constexpr std::uint64_t kNarrowestTile = 8;
constexpr std::int64_t kMostTokens = 32;
constexpr int kLeastCapability = 90;
constexpr std::int64_t kFewWarps = 4;  // along k; fewer are for short k
constexpr int kOtherRegisters = 40;    // addresses, counters, activations, decoding

FragmentRingTiling tiling(const Problem& problem, const Params& params) {
    const auto number = [&](const char* name) { return static_cast<int>(params.number(name)); };
    return mma_ring(fragment_tiling(problem, params),
                    {.m_tile = number("m_tile"),
                     .row_tiles = number("row_tiles"),
                     .row_warps = number("row_warps"),
                     .k_warps = number("k_warps"),
                     .stages = number("stages"),
                     .cluster = number("cluster")});
}

/// Products of row_tiles and row_warps below.
const RingCuts kCuts{.row_blocks = {1, 2, 3, 4, 6, 8, 12, 16}, .clusters = {1, 2}};

std::vector<ParamValue> unrolls(int bits) {
    switch (bits) {
        case 8:
            return {std::int64_t{2}, std::int64_t{4}};
        case 4:
        case 2:
            return {std::int64_t{1}, std::int64_t{2}};
        default:
            return {std::int64_t{1}};
    }
}

std::vector<Axis> all_axes(const Problem& problem) {
    const auto m = static_cast<std::uint64_t>(problem.shape.m);
    return {
        {"row_tiles", {std::int64_t{2}, std::int64_t{4}, std::int64_t{3}, std::int64_t{1}}},
        {"row_warps", {std::int64_t{1}, std::int64_t{2}, std::int64_t{4}}},
        {"k_warps", {std::int64_t{8}, kFewWarps, std::int64_t{16}, std::int64_t{2}}},
        {"unroll", unrolls(problem.format.bits)},
        {"stages", ring_stages()},
        {"cluster", {std::int64_t{1}, std::int64_t{2}}},
        {"m_tile", {static_cast<std::int64_t>(std::max(std::bit_ceil(m), kNarrowestTile))}},
    };
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const FragmentRingTiling ring = tiling(problem, params);
    const auto row_tiles = static_cast<int>(params.number("row_tiles"));
    if (ring.k_parts < kFewWarps && 2 * kFewWarps * ring.format.chunk_k() <= ring.format.k) {
        return fmt::format(
            "k_warps {}: k {} is long enough for {}", ring.k_parts, ring.format.k, kFewWarps);
    }
    const int sums = 2 * 4 * row_tiles * ring.column_blocks();
    const int operands = (8 + 4) * row_tiles;
    return ring_skips(problem, ring, kCuts, sums + operands + kOtherRegisters, device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    return best_first(all_axes(problem), skips, problem, device);
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (device.compute_capability < kLeastCapability) {
        return "needs tensor copies, which devices of compute capability 9.0 and above have";
    }
    if (problem.shape.m > kMostTokens) {
        return fmt::format("is for at most {} tokens", kMostTokens);
    }
    if (auto reason = fragment_declines(problem, device)) {
        return reason;
    }
    if (!first_valid(all_axes(problem), skips, problem, device)) {
        return ring_too_small(problem);
    }
    return std::nullopt;
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    return ring_plan("fragment_ring", problem, tiling(problem, params));
}

const RegisterFamily registration{{
    .name = "fragment_ring",
    .backend = "cuda",
    .source = "kernels/fragment_ring.cu",
    .summary = "8-, 4-, 2- and 1-bit weights in the fragment layout by tensor copies, few tokens",
    .layout = Layout::kFragment,
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
