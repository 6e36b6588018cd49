#pragma once

#include "src/core/device_info.hpp"
#include "src/host/memory.hpp"
#include "src/host/thread_pool.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace fdkbench {

/// What the CPU and its memory can do at best, measured with all threads of a pool.
class HostCeilings {
  public:
    /// Memory counts as cold when `cold_bytes` of other memory were read in between.
    HostCeilings(ThreadPool& pool, std::int64_t cold_bytes)
        : pool_(pool), cold_bytes_(cold_bytes) {}

    /// Least time to read `bytes` once from cold memory over several read loops; measured once per
    /// size.
    double read_floor_us(std::int64_t bytes);
    /// oneDNN's 2048³ matmul in bf16, or f32 where it has no bf16; measured once.
    double matmul_tflop_s();
    /// Of parts that do nothing, on all threads; measured once.
    double empty_launch_us();
    /// Read by size, copy, launch and matmul.
    std::vector<Ceiling> all();

  private:
    [[nodiscard]] double copy_gb_s();
    const HostBuffer& arena(std::int64_t bytes);

    ThreadPool& pool_;
    std::int64_t cold_bytes_;
    std::unique_ptr<HostBuffer> arena_;
    std::map<std::int64_t, double> read_floors_us_;
    std::optional<double> matmul_tflop_s_;
    std::optional<double> empty_launch_us_;
};

}  // namespace fdkbench
