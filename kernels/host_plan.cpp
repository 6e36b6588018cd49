#include "kernels/host_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {
namespace {

/// Weights in the largest block of any decoder: 64 bytes of 1-bit weights. x is padded to it.
constexpr std::int64_t kLargestBlock = 512;

/// More parts than threads, so that a core that is busy elsewhere delays only its last part.
constexpr std::int64_t kPartsPerThread = 4;

/// Vectors that a tile may keep as sums: the registers, less those for weights and activations.
int sum_registers(const DeviceInfo& device) {
    const bool has_32 = device.isa.starts_with("avx512") || device.isa == "neon";
    return has_32 ? 16 : 8;
}

}  // namespace

Axis host_threads_axis(const DeviceInfo& device) {
    Axis axis{"threads", {std::int64_t{device.units}}};
    if (device.units > 1) {
        axis.values.emplace_back(std::int64_t{device.units / 2});
    }
    return axis;
}

Axis host_m_tile_axis(const Problem& problem) {
    if (problem.shape.m == 1) {
        return {"m_tile", {std::int64_t{1}}};
    }
    if (problem.shape.m <= 4) {
        return {"m_tile", {std::int64_t{4}, std::int64_t{2}}};
    }
    return {"m_tile", {std::int64_t{4}, std::int64_t{8}}};
}

std::optional<std::string> host_tile_skips(const Params& params, const DeviceInfo& device) {
    const std::int64_t sums = params.number("rows_per_tile") * params.number("m_tile");
    if (sums > sum_registers(device)) {
        return fmt::format("rows_per_tile × m_tile = {} sums do not fit the registers of {} ({})",
                           sums,
                           device.isa,
                           sum_registers(device));
    }
    return std::nullopt;
}

LaunchPlan host_plan(const std::string& family, const Problem& problem, const Params& params) {
    const auto threads = static_cast<std::uint32_t>(params.number("threads"));
    const std::int64_t m_tile = params.number("m_tile");
    const std::int64_t padded_k = ceil_div(problem.shape.k, kLargestBlock) * kLargestBlock;
    const auto tile_bytes = static_cast<std::uint64_t>(m_tile * padded_k) * sizeof(float);
    const RowTiling tiling{.m_tile = m_tile, .workspace_bytes_per_tile = tile_bytes};

    LaunchStep prepare;
    prepare.kernel = family + "_prepare";
    // One row, which such tiles are for, is done before another thread has woken up.
    prepare.grid[0] = m_tile == 1 ? 1 : threads;
    prepare.block[0] = prepare.grid[0];
    LaunchStep multiply;
    multiply.kernel = family;
    multiply.grid[0] = static_cast<std::uint32_t>(std::min(
        kPartsPerThread * threads, ceil_div(problem.shape.n, params.number("rows_per_tile"))));
    multiply.block[0] = threads;
    const auto tiles = static_cast<std::uint64_t>(tiling.tiles(problem.shape.m));
    return {.steps = {prepare, multiply}, .workspace_bytes = tiles * tile_bytes, .tiling = tiling};
}

}  // namespace fdkbench
