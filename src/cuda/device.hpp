#pragma once

#include "src/core/device_info.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// All GPUs, in CUDA's order, without creating a context; empty without a driver or a device.
std::vector<DeviceInfo> list_cuda_devices();

/// Version of the kernel driver ("580.159.04"); empty where it is not to be read.
std::string nvidia_driver_version();

}  // namespace fdkbench
