#include "src/core/nvidia_driver.hpp"
#include "src/cuda/check.hpp"
#include "src/cuda/cuda_backend.hpp"
#include "src/cuda/nvrtc_compiler.hpp"

#include <fmt/format.h>

namespace fdkbench {

namespace {

/// CUDA's 13000 → "13.0".
std::string version_text(int version) {
    return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> cuda_versions() {
    int runtime = 0;
    check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
    std::vector<std::pair<std::string, std::string>> versions{
        {"CUDA runtime", version_text(runtime)}, {"NVRTC", nvrtc_version()}};
    int driver = 0;
    if (cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0) {
        versions.emplace_back("CUDA driver", version_text(driver));
    }
    if (const std::string version = nvidia_driver_version(); !version.empty()) {
        versions.emplace_back("NVIDIA driver", version);
    }
    return versions;
}

}  // namespace fdkbench
