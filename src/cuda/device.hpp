#pragma once

#include "src/core/device_info.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// All GPUs, in CUDA's order, without creating a context; empty without a driver or a device.
std::vector<DeviceInfo> list_cuda_devices();

/// One of them. Throws EnvironmentError when it is not there.
DeviceInfo cuda_device(int index);

}  // namespace fdkbench
