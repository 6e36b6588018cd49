#pragma once

#include "results/rows.hpp"

#include <optional>
#include <string>

namespace fdkbench {

/// The best kernel of one cell.
struct Winner {
    Problem problem;
    std::string family;
    Params params;
    double time_us = 0;
    double ratio = 0;                ///< baseline ÷ time
    std::optional<double> ratio_lo;  ///< 95 % interval; nothing when there is one sample only
    std::optional<double> ratio_hi;
    double nrmse = 0;
    int processes = 1;  ///< that its samples come from
    int tied = 1;       ///< kernels that are as fast as far as these measurements can tell
};

/// The rows of view `best` for a device and a policy, or with `max_nrmse` the winners by the same
/// rule among the kernels with at most this error; with `layout`, among those that read it.
Rows winners(const Store& store,
             const std::string& device_key,
             const std::string& policy,
             std::optional<double> max_nrmse = std::nullopt,
             std::optional<Layout> layout = std::nullopt);

/// One of these rows.
Winner winner(const Rows& rows, std::size_t row);

/// Key of the policy of a device's newest run, among those policies under which the device has
/// measurements; "" without any.
std::string newest_policy(const Store& store, const std::string& device_key);

/// The policy itself. Throws UsageError when this program measures in another way.
MeasuringPolicy measuring_policy(const Store& store, const std::string& policy);

}  // namespace fdkbench
