#include "kernels/family.hpp"

#include <fmt/format.h>

namespace fdkbench {

std::vector<std::string> problem_defines(const Problem& problem) {
    return {
        "-DFDK_N=" + std::to_string(problem.shape.n),
        "-DFDK_K=" + std::to_string(problem.shape.k),
        "-DFDK_BITS=" + std::to_string(problem.format.bits),
        "-DFDK_GROUP_SIZE=" + std::to_string(problem.format.group_size),
        problem.type == ElementType::kBf16 ? "-DFDK_BF16=1" : "-DFDK_FP16=1",
    };
}

std::optional<std::string> declines_device(const DeviceInfo& device) {
    if (device.compute_capability < 80) {
        return "needs compute capability 8.0";
    }
    return std::nullopt;
}

std::optional<std::string> exceeds_shared(std::int64_t bytes, const DeviceInfo& device) {
    if (bytes <= device.shared_bytes_per_block) {
        return std::nullopt;
    }
    return fmt::format("needs {} bytes of shared memory, the device has {} for a block",
                       bytes,
                       device.shared_bytes_per_block);
}

std::optional<std::string> exceeds_registers(std::int64_t needed,
                                             std::int64_t threads,
                                             std::int64_t limit) {
    if (needed <= limit) {
        return std::nullopt;
    }
    return fmt::format(
        "needs about {} registers a thread, {} threads leave {}", needed, threads, limit);
}

Params first_values(const std::vector<Axis>& axes) {
    Params params;
    for (const Axis& axis : axes) {
        params.set(axis.name, axis.values.front());
    }
    return params;
}

}  // namespace fdkbench
