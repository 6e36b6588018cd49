#pragma once

#include <atomic>

namespace fdkbench {

/// Becomes true at the first SIGINT or SIGTERM after this call; a second one ends the process at
/// once. Child processes end by themselves when their input closes.
const std::atomic<bool>& stop_on_interrupt();

}  // namespace fdkbench
