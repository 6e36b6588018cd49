#include "kernels/mma_plan.hpp"
#include "kernels/registry.hpp"

namespace fdkbench {
namespace {

constexpr std::int64_t kGroupMultiple = 32;  // 8 weights of each lane of a quad
constexpr std::int64_t kOneBlock = 8;        // tokens of one mma step
constexpr std::int64_t kFewTokens = 16;      // up to here decoding is most of the work

MmaDecoding decoding(const Problem& problem, const Params& params) {
    const MmaTable table{problem.format.bits, static_cast<int>(params.number("replicas"))};
    return {.scale_first = params.word("scale") == "weights",
            .table_bytes = params.word("decode") == "table" ? table.bytes() : 0};
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    const std::int64_t group_size = problem.format.group_size;
    if (!problem.format.quantised()) {
        return "reads packed weights of 8, 4, 2 or 1 bits only";
    }
    if (group_size != problem.shape.k && group_size % kGroupMultiple != 0) {
        return "needs a group size that is k or a multiple of " + std::to_string(kGroupMultiple);
    }
    return declines_device(device);
}

std::vector<ParamValue> ways_to_decode(const Problem& problem) {
    const bool few = problem.shape.m <= kFewTokens;
    switch (problem.format.bits) {
        case 2:
            return few ? std::vector<ParamValue>{"prmt", "table"} : std::vector<ParamValue>{"prmt"};
        case 1:
            return few ? std::vector<ParamValue>{"table", "select"}
                       : std::vector<ParamValue>{"table"};
        default:
            return {"table"};
    }
}

std::vector<ParamValue> numbers_of_replicas(const Problem& problem) {
    if (problem.format.bits <= 2) {
        return {16};
    }
    return problem.shape.m <= kOneBlock ? std::vector<ParamValue>{32, 16}
                                        : std::vector<ParamValue>{32};
}

std::vector<ParamValue> ways_to_scale(const Problem& problem) {
    if (problem.format.group_size == problem.shape.k) {
        return {"sums"};
    }
    // Scaling sums of few bits means short loads.
    if (problem.format.bits <= 2 && problem.shape.m <= kFewTokens) {
        return {"weights", "sums"};
    }
    return {"sums", "weights"};
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    const std::vector<Axis> own{{"decode", ways_to_decode(problem)},
                                {"replicas", numbers_of_replicas(problem)},
                                {"scale", ways_to_scale(problem)}};
    std::vector<Axis> all = mma_axes(problem, device, decoding(problem, first_values(own)));
    all.insert(all.end(), own.begin(), own.end());
    return all;
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    return mma_skips(mma_tiling(problem, params, decoding(problem, params)), problem, device);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    return mma_plan("lut_mma", mma_tiling(problem, params, decoding(problem, params)), problem);
}

const RegisterFamily registration{{
    .name = "lut_mma",
    .backend = "cuda",
    .source = "kernels/lut_mma.cu",
    .summary = "8-, 4-, 2- and 1-bit weights on tensor cores",
    .fallback = true,
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
