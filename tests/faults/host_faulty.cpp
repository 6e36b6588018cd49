#include "kernels/registry.hpp"
#include "tests/faults/fault.hpp"

namespace fdkbench {
namespace {

std::optional<std::string> declines(const Problem& problem, const DeviceInfo&) {
    if (problem.format.quantised()) {
        return "is for 16-bit weights";
    }
    return std::nullopt;
}

std::vector<Axis> axes(const Problem&, const DeviceInfo&) {
    return {test::fault_axis("host")};
}

std::optional<std::string> skips(const Problem&, const Params&, const DeviceInfo&) {
    return std::nullopt;
}

LaunchPlan plan(const Problem&, const Params& params, const DeviceInfo&) {
    LaunchStep step;
    step.kernel = "host_faulty";
    return {{step}, test::workspace_bytes(params)};
}

const RegisterFamily registration{{
    .name = "host_faulty",
    .backend = "host",
    .source = "tests/faults/host_faulty.kernel.cpp",
    .summary = "16-bit weights on the CPU, each kernel with a fault of its own",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
