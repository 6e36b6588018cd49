#include "kernels/registry.hpp"

#include <algorithm>

namespace fdkbench {
namespace {

constexpr std::int64_t kThreads = 256;  // of a CTA; six fit on every architecture since 8.0
// With fewer, fused kernels are ahead by far; this one then is for what they decline.
constexpr std::int64_t kManyTokens = 256;

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
    std::vector<Axis> axes{
        {"threads", {kThreads}},
        {"unroll", {4}},
        {"ctas_per_sm", {6}},
        {"unit", {codes_per_unit(problem)}},
    };
    if (problem.shape.m >= kManyTokens) {
        axes[1].values.emplace_back(8);
        axes[2].values.emplace_back(4);
    }
    return axes;
}

std::optional<std::string> skips(const Problem&, const Params&, const DeviceInfo&) {
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
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
