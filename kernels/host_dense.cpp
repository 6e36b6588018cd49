#include "kernels/host_plan.hpp"
#include "kernels/registry.hpp"

namespace fdkbench {
namespace {

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& /*device*/) {
    if (problem.format.quantised()) {
        return "is for 16-bit weights";
    }
    return std::nullopt;
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    std::vector<Axis> axes;
    if (problem.shape.m == 1) {
        axes.push_back({"rows_per_tile", {1L, 8L, 4L, 2L}});
        axes.push_back({"unroll", {1L, 2L, 4L}});
    } else {
        axes.push_back({"rows_per_tile", {4L, 1L, 2L}});
        axes.push_back({"unroll", {1L, 2L}});
    }
    axes.push_back(host_m_tile_axis(problem));
    axes.push_back(host_threads_axis(device));
    return axes;
}

std::optional<std::string> skips(const Problem& /*problem*/,
                                 const Params& params,
                                 const DeviceInfo& device) {
    return host_tile_skips(params, device);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo& /*device*/) {
    return host_plan("host_dense", problem, params);
}

const RegisterFamily registration{{
    .name = "host_dense",
    .backend = "host",
    .source = "kernels/host_dense.kernel.cpp",
    .summary = "16-bit weights on the CPU, by bf16 dot products or fp32",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
