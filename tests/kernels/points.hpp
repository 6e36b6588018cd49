#pragma once

#include "kernels/registry.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench::testing {

/// Descriptions of devices that need not be there.
DeviceInfo h100();
DeviceInfo rtx_3090();
/// The same device with another architecture: "sm_80" with 80, …
DeviceInfo with_arch(DeviceInfo device, const std::string& arch, int compute_capability);

/// Every combination of the values of a family's axes, the first values first.
std::vector<Params> all_points(const Family& family,
                               const Problem& problem,
                               const DeviceInfo& device);
/// Those that the family does not skip.
std::vector<Params> valid_points(const Family& family,
                                 const Problem& problem,
                                 const DeviceInfo& device);

/// Families for `backend` that claim the problem.
std::vector<const Family*> claimants(const std::string& backend,
                                     const Problem& problem,
                                     const DeviceInfo& device);

/// Bits {16,8,4,2,1} × group sizes {32,64,128,k}, with n and k that no tile divides.
std::vector<Problem> ragged_problems(std::int64_t m, ElementType type);
/// Bits {16,8,4,2,1} with groups of 64 and n = k = 8192.
std::vector<Problem> large_problems(std::int64_t m, ElementType type);

}  // namespace fdkbench::testing
