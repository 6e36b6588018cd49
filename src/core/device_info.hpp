#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fdkbench {

/// What the tool must know of a device: for constraints, for keys, for people.
struct DeviceInfo {
    std::string id;       ///< "cuda:0", "host"
    std::string backend;  ///< "cuda" or "host"
    /// Equal for devices that are the same for tuning: "NVIDIA H100 80GB HBM3, sm_90, 132 SMs, …".
    std::string key;
    std::string name;            ///< as the driver or the CPU calls itself
    std::string uuid;            ///< empty on the host
    std::string arch;            ///< what kernels are compiled for: "sm_90a"; on the host "native"
    int compute_capability = 0;  ///< 90 for 9.0; 0 on the host
    int units = 0;               ///< SMs, or cores the process may use
    std::int64_t cache_bytes = 0;   ///< the cache that `cold` must defeat: L2, or the last level
    std::int64_t memory_bytes = 0;  ///< total device memory
    double memory_gb_s = 0;         ///< that its memory could transfer at most; 0: not known
    std::int64_t shared_bytes_per_block = 0;  ///< opt-in limit of shared memory; 0 on the host
    int max_threads_per_block = 0;            ///< 0 on the host
    std::string isa;  ///< host: widest vector ISA the compiler reports ("avx512", …)
    /// Further facts for `fdkbench devices`, in order: {"driver", "580.159.04"}, {"L1d", "32 KiB"}.
    std::vector<std::pair<std::string, std::string>> facts;
};

/// One measured ceiling of a device.
struct Ceiling {
    std::string what;        ///< "read", "copy", "launch", "matmul"
    std::int64_t bytes = 0;  ///< working-set size; 0 where it has none
    double value = 0;        ///< in `unit`
    std::string unit;        ///< "GB/s", "us", "TFLOP/s"
};

}  // namespace fdkbench
