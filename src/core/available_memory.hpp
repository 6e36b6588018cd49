#pragma once

#include <cstdint>
#include <optional>

namespace fdkbench {

/// Bytes of host memory that the system can give without swapping (MemAvailable of /proc/meminfo);
/// nothing where it does not say. To be asked before a large allocation: Linux grants more than it
/// has and kills whoever uses it.
std::optional<std::int64_t> available_memory_bytes();

}  // namespace fdkbench
