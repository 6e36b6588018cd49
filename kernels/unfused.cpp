#include "kernels/registry.hpp"

#include <algorithm>

namespace fdkbench {
namespace {

using std::to_string;

constexpr std::int64_t kThreadsPerUnit = 1536;  // that every architecture since 8.0 can hold

/// Codes of which a thread makes one store: at most 8, all of one group.
std::int64_t codes_per_unit(const Problem& problem) {
    std::int64_t unit = 8;
    while (problem.format.group_size % unit != 0) {
        unit /= 2;
    }
    return unit;
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (!problem.format.quantised()) {
        return "has nothing to dequantise in 16-bit weights";
    }
    return declines_device(device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo&) {
    return {
        {"threads", {256, 512}},
        {"unroll", {4, 2, 8}},
        {"ctas_per_sm", {4, 2, 6}},
        {"unit", {codes_per_unit(problem)}},
    };
}

std::optional<std::string> skips(const Problem&, const Params& params, const DeviceInfo&) {
    const auto threads = params.number("threads");
    const auto ctas = params.number("ctas_per_sm");
    if (threads * ctas > kThreadsPerUnit) {
        return "threads " + to_string(threads) + " × ctas_per_sm " + to_string(ctas) +
               " is more than the " + to_string(kThreadsPerUnit) + " that an SM holds";
    }
    return std::nullopt;
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo& device) {
    const Shape& shape = problem.shape;
    const auto threads = params.number("threads");
    const auto units = shape.n * (shape.k / params.number("unit"));
    const auto ctas = std::min(params.number("ctas_per_sm") * device.units,
                               ceil_div(units, threads * params.number("unroll")));
    LaunchStep dequantise;
    dequantise.kernel = "dequantise";
    dequantise.grid[0] = static_cast<std::uint32_t>(ctas);
    dequantise.block[0] = static_cast<std::uint32_t>(threads);
    LaunchStep matmul;
    matmul.kind = LaunchStep::Kind::kMatmul;
    // The library cuts x as it likes: each row is taken for more work.
    return {.steps = {dequantise, matmul},
            .workspace_bytes = static_cast<std::uint64_t>(shape.n * shape.k * 2),
            .tiling = RowTiling{}};
}

const RegisterFamily registration{{
    .name = "unfused",
    .backend = "cuda",
    .source = "kernels/unfused.cu",
    .summary = "dequantises to 16-bit weights, then the library's matmul: for large m",
    .fallback = true,
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
