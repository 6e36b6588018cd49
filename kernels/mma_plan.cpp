#include "kernels/mma_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace fdkbench {
namespace {

constexpr std::int64_t kRegisters = 65536;      // of an SM
constexpr std::int64_t kUsableRegisters = 240;  // of a thread; a few remain for addresses
constexpr std::int64_t kOtherRegisters = 36;    // addresses, counters, activations
constexpr std::int64_t kMostCtas = 0x7fffffff;  // along x
constexpr int kLeastRunBytes = 16;              // in flight, of each of a lane's rows
constexpr int kMostRunBytes = 32;
constexpr int kMostUnroll = 8;

/// Where activations are read straight from memory: few enough that reading them again in every
/// CTA costs less than synchronising warps.
constexpr std::int64_t kMostDirectTokens = 16;

constexpr std::int64_t kLeastStagedTile = 16;

/// The best guess first, then the rest of `values`.
Axis axis_from(const char* name, std::int64_t best, const std::vector<std::int64_t>& values) {
    Axis axis{name, {best}};
    for (const std::int64_t value : values) {
        if (value != best) {
            axis.values.emplace_back(value);
        }
    }
    return axis;
}

/// Warps split k; a CTA has 16 or 32 rows of w.
std::vector<Axis> direct_axes(const Problem& problem, MmaDecoding best) {
    const bool one_block = problem.shape.m <= 8;
    std::vector<Axis> axes{
        axis_from("row_tiles", one_block ? 1 : 2, {1, 2}),
        {"m_tile", {std::int64_t{one_block ? 8 : 16}}},
        {"row_warps", {std::int64_t{1}}},
        {"k_warps", {std::int64_t{8}}},
        {"unroll", {std::int64_t{1}}},
        {"stages", {std::int64_t{0}}},
    };
    const int run_bytes = mma_tiling(problem, first_values(axes), best).run_bytes();
    const int unroll = std::clamp(kLeastRunBytes / run_bytes, 2, kMostUnroll);
    axes[4] = axis_from("unroll", unroll, {1, 2, 4, 8});
    if (one_block) {
        axes[3].values.emplace_back(std::int64_t{16});
    } else {
        axes[2].values.emplace_back(std::int64_t{4});
        axes[3].values.emplace_back(std::int64_t{2});
        axes[5].values.emplace_back(std::int64_t{3});
    }
    return axes;
}

std::int64_t ctas(const Problem& problem, std::int64_t tile_n, std::int64_t m_tile) {
    return ceil_div(problem.shape.n, tile_n) * ceil_div(problem.shape.m, m_tile);
}

/// Warps share activations in shared memory; the largest tile of w that still gives every SM work.
std::vector<Axis> staged_axes(const Problem& problem, const DeviceInfo& device, MmaDecoding best) {
    const auto m = static_cast<std::uint64_t>(problem.shape.m);
    const auto widest =
        static_cast<std::int64_t>(std::clamp<std::uint64_t>(std::bit_ceil(m), 32, 128));
    const auto fills = [&](std::int64_t tile_n) {
        return ctas(problem, tile_n, widest) * 10 >= std::int64_t{device.units} * 9;
    };
    const std::int64_t row_tiles = fills(128) ? 2 : 1;
    const std::int64_t row_warps = fills(64) ? 4 : 2;
    std::vector<Axis> axes{
        axis_from("row_tiles", row_tiles, {1, 2}),
        axis_from("m_tile", widest, {widest / 2}),
        axis_from("row_warps", row_warps, {4, 2}),
        axis_from("k_warps", 8 / row_warps, {2, 4}),
        axis_from("unroll", 1, {2}),
        axis_from("stages", 3, {}),
    };
    const auto fits = [&] {
        return mma_tiling(problem, first_values(axes), best).shared_bytes() <=
               device.shared_bytes_per_block;
    };
    for (std::int64_t m_tile = widest; !fits() && m_tile > kLeastStagedTile; m_tile /= 2) {
        axes[1] = axis_from("m_tile", m_tile / 2, {m_tile / 4});
    }
    return axes;
}

std::int64_t registers(const MmaTiling& tiling) {
    const std::int64_t span = tiling.scales_blocks() ? tiling.chunks() : 1;
    const std::int64_t sums = std::int64_t{4} * tiling.row_tiles * tiling.column_blocks();
    const std::int64_t operands = tiling.row_tiles * (8 * span + (tiling.scales_blocks() ? 4 : 0));
    const std::int64_t words = ceil_div(tiling.run_bytes(), 4) + tiling.scales_per_run();
    return sums + operands + 2 * tiling.row_tiles * tiling.unroll * words + kOtherRegisters;
}

std::optional<std::string> skips_warps(const MmaTiling& tiling) {
    const int warps = tiling.row_warps * tiling.k_warps;
    if (warps != 8 && warps != 16) {
        return fmt::format("row_warps × k_warps = {}, only 8 and 16 are tried", warps);
    }
    if (tiling.stages == 0 && tiling.row_warps > 1) {
        return fmt::format("stages 0: each of row_warps {} would read the same activations",
                           tiling.row_warps);
    }
    if (tiling.stages > 0 && tiling.row_warps == 1) {
        return "row_warps 1: no other warp would use the activations in shared memory";
    }
    return std::nullopt;
}

std::optional<std::string> skips_unroll(const MmaTiling& tiling) {
    const int bytes = tiling.unroll * tiling.run_bytes();
    const int least = std::min(kLeastRunBytes, kMostUnroll * tiling.run_bytes());
    if (tiling.stages == 0 && (bytes < least || bytes > kMostRunBytes)) {
        return fmt::format("unroll {} keeps {} bytes of each row in flight a lane, {} to {} pay",
                           tiling.unroll,
                           bytes,
                           least,
                           kMostRunBytes);
    }
    return std::nullopt;
}

}  // namespace

std::vector<Axis> mma_axes(const Problem& problem, const DeviceInfo& device, MmaDecoding best) {
    return problem.shape.m <= kMostDirectTokens ? direct_axes(problem, best)
                                                : staged_axes(problem, device, best);
}

MmaTiling mma_tiling(const Problem& problem, const Params& params, MmaDecoding decoding) {
    const auto number = [&](const char* name) { return static_cast<int>(params.number(name)); };
    return {
        .bits = problem.format.bits,
        .group_size = static_cast<int>(problem.format.group_size),
        .n = static_cast<int>(problem.shape.n),
        .k = static_cast<int>(problem.shape.k),
        .row_tiles = number("row_tiles"),
        .m_tile = number("m_tile"),
        .row_warps = number("row_warps"),
        .k_warps = number("k_warps"),
        .unroll = number("unroll"),
        .stages = number("stages"),
        .scale_first = decoding.scale_first,
        .table_bytes = decoding.table_bytes,
    };
}

std::optional<std::string> mma_skips(const MmaTiling& tiling,
                                     const Problem& problem,
                                     const DeviceInfo& device) {
    if (tiling.m_tile > 8 && tiling.m_tile >= 2 * problem.shape.m) {
        return fmt::format("m_tile {} is at least twice m {}", tiling.m_tile, problem.shape.m);
    }
    if (auto reason = skips_warps(tiling)) {
        return reason;
    }
    if (auto reason = skips_unroll(tiling)) {
        return reason;
    }
    if (auto reason = exceeds_shared(tiling.shared_bytes(), device)) {
        return reason;
    }
    return exceeds_registers(registers(tiling),
                             tiling.threads(),
                             std::min(kUsableRegisters, kRegisters / tiling.threads()));
}

LaunchPlan mma_plan(const std::string& family, const MmaTiling& tiling, const Problem& problem) {
    LaunchStep step;
    step.kernel = family;
    step.grid[0] = static_cast<std::uint32_t>(ctas(problem, tiling.tile_n(), tiling.m_tile));
    const std::int64_t tile_ctas = ceil_div(problem.shape.n, tiling.tile_n());
    step.grid_per_tile[0] = static_cast<std::uint32_t>(tile_ctas);
    step.block[0] = static_cast<std::uint32_t>(tiling.threads());
    step.shared_bytes = static_cast<std::uint32_t>(tiling.shared_bytes());
    const std::int64_t most_m = kMostCtas / tile_ctas * tiling.m_tile;
    return {.steps = {step},
            .workspace_bytes = 0,
            .tiling = RowTiling{.m_tile = tiling.m_tile,
                                .most_m = std::min(most_m, RowTiling::kAnyNumber)}};
}

}  // namespace fdkbench
