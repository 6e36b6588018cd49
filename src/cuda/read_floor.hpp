#pragma once

#include "src/cuda/device_session.hpp"

#include <cstdint>

namespace fdkbench {

/// Least time to read `bytes` once from cold memory over plain streaming kernels of several
/// unrolls, block and grid sizes, in µs. Copies totalling five times the cache are rotated over
/// (for less than about 1/100 of the cache: 512 copies, which may stay partly cached).
double measure_read_floor_us(DeviceSession& session, std::int64_t bytes);

}  // namespace fdkbench
