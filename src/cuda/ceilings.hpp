#pragma once

#include "src/cuda/device_session.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace fdkbench {

/// Measures what the device can do at best; each value once, then remembered.
class Ceilings {
  public:
    explicit Ceilings(DeviceSession& session) : session_(session) {}

    /// Least time to read `bytes` cold, over plain streaming kernels, in µs.
    double read_floor_us(std::int64_t bytes);
    /// Best of cuBLASLt's algorithms for the bf16 product of two 8192² matrices.
    double matmul_tflop_s();
    /// Of a kernel that does nothing, in a graph of many.
    double empty_launch_us();
    /// Streaming read at several sizes, copy, launch floor and matmul.
    std::vector<Ceiling> all();

  private:
    [[nodiscard]] double copy_us(std::int64_t bytes) const;

    DeviceSession& session_;
    std::map<std::int64_t, double> read_floor_us_;
    std::optional<double> matmul_tflop_s_;
    std::optional<double> empty_launch_us_;
};

}  // namespace fdkbench
