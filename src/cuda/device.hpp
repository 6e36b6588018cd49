#pragma once

#include "src/core/device_info.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// All GPUs, in CUDA's order, without creating a context; empty without a driver or a device.
std::vector<DeviceInfo> list_cuda_devices();

}  // namespace fdkbench
