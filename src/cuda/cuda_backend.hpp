#pragma once

#include "src/core/backend.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fdkbench {

/// NVIDIA GPUs through the CUDA runtime and cuBLASLt. Works (with no devices) where there is no
/// driver. Everything it hands out (buffers, runnables, replays) must be gone before the backend.
std::unique_ptr<Backend> make_cuda_backend();

/// NVRTC, straight to a cubin for an explicit "sm_XX" or "sm_XXa"; needs neither driver nor GPU.
std::unique_ptr<KernelCompiler> make_nvrtc_compiler();

/// What was found, for people: {"CUDA runtime", "13.0"}, {"NVRTC", "13.0.88"} and, with a driver,
/// {"CUDA driver", "13.0"}, {"NVIDIA driver", "580.159.04"}.
std::vector<std::pair<std::string, std::string>> cuda_versions();

}  // namespace fdkbench
