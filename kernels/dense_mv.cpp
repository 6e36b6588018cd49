#include "kernels/registry.hpp"

#include <bit>

namespace fdkbench {
namespace {

using std::to_string;

constexpr std::int64_t kMaxTokens = 8;
constexpr std::int64_t kMaxSums = 16;  // accumulators of a lane, in registers

std::int64_t widest_vector_bytes(const Problem& problem) {
    std::int64_t bytes = 16;
    while (problem.shape.k * 2 % bytes != 0) {
        bytes /= 2;
    }
    return bytes;
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (problem.format.quantised()) {
        return "reads 16-bit weights only";
    }
    if (problem.shape.m > kMaxTokens) {
        return "is for m up to " + to_string(kMaxTokens);
    }
    return declines_device(device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo&) {
    const auto m = static_cast<std::uint64_t>(problem.shape.m);
    return {
        {"rows_per_warp", {1, 2, 4}},
        {"warps", {8, 4}},
        {"unroll", {4, 8, 2}},
        {"split_k", {1, 2, 4}},
        {"vector_bytes", {widest_vector_bytes(problem)}},
        {"m_tile", {static_cast<std::int64_t>(std::bit_ceil(m))}},
    };
}

std::optional<std::string> skips(const Problem& problem, const Params& params, const DeviceInfo&) {
    const auto rows = params.number("rows_per_warp");
    const auto unroll = params.number("unroll");
    const auto split_k = params.number("split_k");
    const auto m_tile = params.number("m_tile");
    if (rows * unroll < 4 || rows * unroll > 8) {
        return "rows_per_warp " + to_string(rows) + " × unroll " + to_string(unroll) +
               " is not 4 to 8 loads in flight";
    }
    if (rows * m_tile > kMaxSums) {
        return "rows_per_warp " + to_string(rows) + " × m_tile " + to_string(m_tile) +
               " needs more than " + to_string(kMaxSums) + " sums in a lane";
    }
    const auto step = 32 * unroll * params.number("vector_bytes") / 2;
    const auto steps = ceil_div(problem.shape.k, step);
    if (steps < split_k) {
        return "a row has only " + to_string(steps) + " steps of " + to_string(step) +
               " weights for split_k " + to_string(split_k);
    }
    return std::nullopt;
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    const auto warps = params.number("warps");
    const auto cta_rows = warps / params.number("split_k") * params.number("rows_per_warp");
    LaunchStep step;
    step.kernel = "dense_mv";
    step.grid[0] = static_cast<std::uint32_t>(ceil_div(problem.shape.n, cta_rows));
    step.block[0] = static_cast<std::uint32_t>(warps * 32);
    const auto m_tile = params.number("m_tile");
    return {.steps = {step},
            .workspace_bytes = 0,
            .tiling = RowTiling{.m_tile = m_tile, .most_m = m_tile}};
}

const RegisterFamily registration{{
    .name = "dense_mv",
    .backend = "cuda",
    .source = "kernels/dense_mv.cu",
    .summary = "16-bit weights × few activations on CUDA cores: warps stream rows of weights",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
