#pragma once

#include "src/core/serving.hpp"

#include <memory>

namespace fdkbench {

/// The CPU, with a thread for each core that the process may use. Launches from several threads
/// wait for each other. info() has no ISA: no compiler is asked.
std::unique_ptr<ServingDevice> make_host_serving_device();

}  // namespace fdkbench
