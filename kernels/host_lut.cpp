#include "kernels/host_plan.hpp"
#include "kernels/registry.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

/// Bytes of a register of the ISA.
std::int64_t vector_bytes(const DeviceInfo& device) {
    if (device.isa.starts_with("avx512")) {
        return 64;
    }
    return device.isa == "avx2" ? 32 : 16;
}

/// See LaneScales in the source: lanes of 32 bits share one group's scale or several groups'.
std::optional<std::string> vector_skips(const WeightFormat& format,
                                        const Shape& shape,
                                        const DeviceInfo& device) {
    if (device.isa == "scalar") {
        return "decode vector needs AVX2, AVX-512 or NEON";
    }
    if (format.bits == 8 && device.isa != "avx512vbmi") {
        return "decode vector at 8 bits needs AVX-512 VBMI";
    }
    const std::int64_t group_bits = format.group_size * format.bits;
    const std::int64_t vector_bits = vector_bytes(device) * 8;
    const bool lanes_of_one_group = format.group_size == shape.k || group_bits % vector_bits == 0;
    if (!lanes_of_one_group && (group_bits % 32 != 0 || vector_bits % group_bits != 0)) {
        return fmt::format("decode vector cannot share a register of {} bits among groups of {}",
                           vector_bits,
                           group_bits);
    }
    return std::nullopt;
}

std::optional<std::string> decode_skips(const std::string& decode,
                                        const Problem& problem,
                                        const DeviceInfo& device) {
    const WeightFormat& format = problem.format;
    if (decode == "vector") {
        return vector_skips(format, problem.shape, device);
    }
    const std::int64_t lanes = vector_bytes(device) / 4;
    if (decode == "byte_lut" && format.bits == 8 && format.group_size != problem.shape.k &&
        format.group_size % lanes != 0) {
        return fmt::format("decode byte_lut at 8 bits needs a group size divisible by {} lanes",
                           lanes);
    }
    return std::nullopt;
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& /*device*/) {
    if (!problem.format.quantised()) {
        return "is for weights of 8, 4, 2 or 1 bits";
    }
    return std::nullopt;
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo& device) {
    Axis decode{"decode", {"vector", "byte_lut"}};
    if (decode_skips("vector", problem, device) || decode_skips("byte_lut", problem, device)) {
        decode.values.emplace_back("scalar");
    }
    std::vector<Axis> axes{std::move(decode)};
    if (problem.shape.m == 1) {
        axes.push_back({"rows_per_tile", {1L, 4L}});
        axes.push_back({"prefetch", {0L, 1L}});
        axes.push_back({"unroll", {2L, 1L}});
    } else {
        axes.push_back({"rows_per_tile", {2L, 1L, 4L}});
        axes.push_back({"prefetch", {0L}});
        axes.push_back({"unroll", {1L}});
    }
    axes.push_back(host_m_tile_axis(problem));
    axes.push_back(host_threads_axis(device));
    return axes;
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const std::string& decode = params.word("decode");
    if (auto reason = decode_skips(decode, problem, device)) {
        return reason;
    }
    if (decode != "vector" && params.number("prefetch") != 0) {
        return fmt::format("prefetch is for decode vector: {} does not wait for memory", decode);
    }
    return host_tile_skips(params, device);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo& /*device*/) {
    return host_plan("host_lut", problem, params);
}

const RegisterFamily registration{{
    .name = "host_lut",
    .backend = "host",
    .source = "kernels/host_lut.kernel.cpp",
    .summary = "8-, 4-, 2- and 1-bit weights on the CPU, looked up in a codebook",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
