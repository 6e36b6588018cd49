#pragma once

#include <string>

namespace fdkbench {

/// The loaded NVIDIA kernel driver's version, "580.159.04"; empty when there is none.
std::string driver_version();

}  // namespace fdkbench
