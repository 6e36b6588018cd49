#pragma once

#include <span>

namespace fdkbench {

/// Compiled by the build (embed_cubins.cpp) for one compute capability: 80, 90, …
struct Cubin {
    int compute_capability = 0;
    std::span<const unsigned char> bytes;
};

/// src/cuda/quantise_kernels.cu, ascending; each runs on all devices of its major version.
std::span<const Cubin> quantise_cubins();

}  // namespace fdkbench
