#pragma once

#include "results/store.hpp"

#include <map>
#include <vector>

namespace fdkbench {

/// How many candidates of these problems ended how, in all sweeps of the device and policy.
std::map<CandidateStatus, int> status_counts(const Store& store,
                                             const DeviceInfo& device,
                                             const MeasuringPolicy& policy,
                                             const std::vector<Problem>& problems);

}  // namespace fdkbench
