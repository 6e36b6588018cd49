#include "kernels/registry.hpp"
#include "tests/faults/fault.hpp"

namespace fdkbench {
namespace {

constexpr std::int64_t kThreads = 128;

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (problem.format.quantised()) {
        return "is for 16-bit weights";
    }
    return declines_device(device);
}

std::vector<Axis> axes(const Problem&, const DeviceInfo&) {
    return {test::fault_axis("cuda")};
}

std::optional<std::string> skips(const Problem&, const Params&, const DeviceInfo&) {
    return std::nullopt;
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo& device) {
    LaunchStep step;
    step.kernel = "faulty";
    step.grid[0] =
        static_cast<std::uint32_t>(ceil_div(problem.shape.m * problem.shape.n, kThreads));
    step.block[0] = kThreads;
    if (params.word("fault") == "wants_shared_memory") {
        step.shared_bytes = static_cast<std::uint32_t>(device.shared_bytes_per_block + 1);
    }
    return {{step}, test::workspace_bytes(params)};
}

const RegisterFamily registration{{
    .name = "faulty",
    .backend = "cuda",
    .source = "tests/faults/faulty.cu",
    .summary = "16-bit weights, each kernel with a fault of its own",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
