#include "kernels/fragment_ring_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

constexpr int kMultiple = 64;
constexpr int kOtherRegisters = 30;  // addresses, counters

FragmentRingTiling tiling(const Problem& problem, const Params& params) {
    const auto format = FragmentTiling::of_plain(static_cast<int>(problem.shape.n),
                                                 static_cast<int>(problem.shape.k),
                                                 static_cast<int>(params.number("unroll")));
    return wgmma_tiling(format, params);
}

std::vector<Axis> all_axes(const Problem& problem) {
    return wgmma_axes({std::int64_t{4}, std::int64_t{8}}, problem.shape.m);
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    return wgmma_skips(problem, tiling(problem, params), kOtherRegisters, device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    return best_first(all_axes(problem), skips, problem, device);
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (problem.format.quantised()) {
        return "reads plain 16-bit weights only";
    }
    if (auto reason = lacks_wgmma(device)) {
        return reason;
    }
    if (problem.shape.m == 1) {
        return "is for more than one token";
    }
    if (problem.shape.k % kMultiple != 0) {
        return fmt::format("needs k to be a multiple of {}", kMultiple);
    }
    return nothing_to_try(problem, device, all_axes, skips);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    return ring_plan("dense_wgmma", problem, tiling(problem, params));
}

const RegisterFamily registration{{
    .name = "dense_wgmma",
    .backend = "cuda",
    .source = "kernels/dense_wgmma.cu",
    .summary = "16-bit weights on Hopper's wgmma",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
