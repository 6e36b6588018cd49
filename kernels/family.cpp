#include "kernels/family.hpp"

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

}  // namespace fdkbench
