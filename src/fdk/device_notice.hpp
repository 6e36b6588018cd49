#pragma once

#include "src/core/device_info.hpp"

#include <string>

namespace fdkbench {

/// What differs between the device that a table (of this name) was measured on and one on which its
/// kernels run too: one line, "" for nothing. Counts what decides which kernels are fast: units,
/// cache_bytes and, beyond 10 %, memory_gb_s, each where both are known (not 0). Names do not.
std::string device_notice(const std::string& table,
                          const DeviceInfo& measured,
                          const DeviceInfo& here);

}  // namespace fdkbench
