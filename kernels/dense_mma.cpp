#include "kernels/mma_plan.hpp"
#include "kernels/registry.hpp"

namespace fdkbench {
namespace {

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (problem.format.quantised()) {
        return "reads plain 16-bit weights only";
    }
    return declines_device(device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    return mma_axes(problem, device, {});
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    return mma_skips(mma_tiling(problem, params, {}), problem, device);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    return mma_plan("dense_mma", mma_tiling(problem, params, {}), problem);
}

const RegisterFamily registration{{
    .name = "dense_mma",
    .backend = "cuda",
    .source = "kernels/dense_mma.cu",
    .summary = "16-bit weights on tensor cores",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
