#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fdkbench {

/// One cache of the first core, as /sys/devices/system/cpu describes it.
struct CpuCache {
    std::string name;  ///< "L1d", "L2"
    int level = 0;
    std::int64_t bytes = 0;
};

/// "AMD EPYC 9654 96-Core Processor", from /proc/cpuinfo; the architecture where it has no name.
std::string cpu_model();
/// Cores that the process may use (sched_getaffinity).
int usable_cores();
/// Data and unified caches, by level; empty where the system does not tell.
std::vector<CpuCache> cpu_caches();
/// Size of the last level, between 1 and 64 MiB: some virtual machines report a whole host's
/// caches, or none (then 32 MiB).
std::int64_t last_level_cache_bytes(const std::vector<CpuCache>& caches);
std::int64_t total_memory_bytes();

}  // namespace fdkbench
