#pragma once

#include <string>

namespace fdkbench {

/// Version of NVIDIA's kernel driver, "580.159.04"; empty where there is none.
std::string nvidia_driver_version();

}  // namespace fdkbench
