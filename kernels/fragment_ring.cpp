#include "kernels/fragment_ring_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

namespace fdkbench {
namespace {

constexpr std::uint64_t kNarrowestTile = 8;
constexpr std::int64_t kMostTokens = 32;
constexpr int kLeastCapability = 90;
constexpr std::int64_t kFewWarps = 4;  // along k; fewer are for short k
constexpr int kOtherRegisters = 28;    // addresses, counters, activations, decoding

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

constexpr std::array<std::int64_t, 4> kRowTiles{2, 4, 3, 1};
constexpr std::array<std::int64_t, 3> kRowWarps{1, 2, 4};

int registers(const FragmentRingTiling& ring, int row_tiles) {
    const int sums = 2 * 4 * row_tiles * ring.column_blocks();
    const int operands = (8 + 4) * row_tiles;
    return sums + operands + kOtherRegisters;
}

/// Those with room for a ring of this unroll, however short.
RingCuts cuts(const FragmentRingTiling& ring, const DeviceInfo& device) {
    RingCuts cuts{.row_blocks = {}, .clusters = {1, 2}};
    for (const auto row_tiles : kRowTiles) {
        for (const auto row_warps : kRowWarps) {
            const FragmentRingTiling other =
                mma_ring(ring.format,
                         {.m_tile = ring.m_tile,
                          .row_tiles = static_cast<int>(row_tiles),
                          .row_warps = static_cast<int>(row_warps),
                          .k_warps = std::min<int>(kFewWarps, ring.k_parts),
                          .stages = 2,
                          .cluster = 1});
            if (!fragment_exceeds(device,
                                  other.threads(),
                                  registers(other, static_cast<int>(row_tiles)),
                                  other.shared_bytes())) {
                cuts.row_blocks.push_back(other.row_blocks);
            }
        }
    }
    return cuts;
}

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
        {"row_tiles", std::vector<ParamValue>(kRowTiles.begin(), kRowTiles.end())},
        {"row_warps", std::vector<ParamValue>(kRowWarps.begin(), kRowWarps.end())},
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
    if (ring.k_parts < kFewWarps && 2 * kFewWarps * ring.format.chunk_k() <= ring.format.k) {
        return fmt::format(
            "k_warps {}: k {} is long enough for {}", ring.k_parts, ring.format.k, kFewWarps);
    }
    const auto row_tiles = static_cast<int>(params.number("row_tiles"));
    return ring_skips(problem, ring, cuts(ring, device), registers(ring, row_tiles), device);
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
    return fragment_declines(problem, device, all_axes, skips);
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
