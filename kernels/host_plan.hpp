#pragma once

#include "kernels/family.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What the host families share, beside kernels/common/host_product.hpp.

/// Axis `threads`: every core the process may use, then half of them.
Axis host_threads_axis(const DeviceInfo& device);

/// Axis `m_tile`: activation rows that share each decoded weight, at most about m.
Axis host_m_tile_axis(const Problem& problem);

/// Why a tile is too large for the registers of the device's ISA; nothing when it fits.
std::optional<std::string> host_tile_skips(const Params& params, const DeviceInfo& device);

/// Two steps, `<family>_prepare` (x into the workspace) and `<family>`, for the parameters
/// `threads` and `m_tile`.
LaunchPlan host_plan(const std::string& family, const Problem& problem, const Params& params);

}  // namespace fdkbench
