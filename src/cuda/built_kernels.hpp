#pragma once

#include "src/core/device_info.hpp"
#include "src/cuda/kernel_runnable.hpp"

#include <span>

namespace fdkbench {

/// Kernels of the project itself, compiled when it was built (embed_cubins.cpp): programs that only
/// multiply need no compiler for them, and others do not wait for it.
struct BuiltKernels {
    int compute_capability = 0;  ///< 80, 90, …; they run on all devices of that major version
    int bits = 0;                ///< 0: quantise_kernels.cu; else fragment_kernels.cu for so many
    std::span<const unsigned char> cubin;
};

/// All of them.
std::span<const BuiltKernels> built_kernels();

/// Loads those with these bits that run on the device, the thread's current one. Throws
/// EnvironmentError when none do.
SharedLibrary load_built(const DeviceInfo& device, int bits);

}  // namespace fdkbench
