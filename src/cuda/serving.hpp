#pragma once

#include "src/core/serving.hpp"

#include <memory>

namespace fdkbench {

/// A GPU by its number in CUDA's order. Throws EnvironmentError when there is no such device or it
/// cannot be used. Needs neither NVRTC nor, unless a plan has a kMatmul step, cuBLASLt.
std::unique_ptr<ServingDevice> make_cuda_serving_device(int index);

}  // namespace fdkbench
