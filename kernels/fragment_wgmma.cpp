#include "kernels/fragment_ring_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

constexpr std::int64_t kFewTokens = 16;  // up to here mma needs less of the tensor cores' time
constexpr int kOtherRegisters = 30;      // addresses, counters, decoding

std::vector<ParamValue> unrolls(int bits) {
    switch (bits) {
        case 8:
            return {std::int64_t{4}, std::int64_t{2}};
        case 4:
            return {std::int64_t{2}, std::int64_t{4}, std::int64_t{1}};
        case 2:
            return {std::int64_t{1}, std::int64_t{2}};
        default:
            return {std::int64_t{1}};
    }
}

std::vector<Axis> all_axes(const Problem& problem) {
    return wgmma_axes(unrolls(problem.format.bits), problem.shape.m);
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const FragmentRingTiling ring = wgmma_tiling(fragment_tiling(problem, params), params);
    const int batches = ring.format.chunk_k() / 16 / wgmma_batch_steps(ring.m_tile);
    if (batches % 2 != 0) {
        return fmt::format("unroll {}: batches of {} steps do not take turns in a chunk of {}",
                           ring.format.unroll,
                           wgmma_batch_steps(ring.m_tile),
                           ring.format.chunk_k());
    }
    const int operands = 2 * 4 * wgmma_batch_steps(ring.m_tile);
    return wgmma_skips(problem, ring, operands + kOtherRegisters, device);
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    return best_first(all_axes(problem), skips, problem, device);
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (auto reason = lacks_wgmma(device)) {
        return reason;
    }
    if (problem.shape.m <= kFewTokens) {
        return fmt::format("is for more than {} tokens", kFewTokens);
    }
    return fragment_declines(problem, device, all_axes, skips);
}

}  // namespace

bool wgmma_takes(const Problem& problem, const DeviceInfo& device) {
    return !declines(problem, device);
}

namespace {

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    return ring_plan(
        "fragment_wgmma", problem, wgmma_tiling(fragment_tiling(problem, params), params));
}

const RegisterFamily registration{{
    .name = "fragment_wgmma",
    .backend = "cuda",
    .source = "kernels/fragment_wgmma.cu",
    .summary = "8-, 4-, 2- and 1-bit weights in the fragment layout on Hopper's wgmma",
    .layout = Layout::kFragment,
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
