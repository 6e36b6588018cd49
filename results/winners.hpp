#pragma once

#include "results/rows.hpp"
#include "results/table_rules.hpp"
#include "src/core/device_info.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// A kernel in one cell: its best, unless said otherwise.
struct Winner {
    Problem problem;
    std::string family;
    Params params;
    double time_us = 0;
    double ratio = 0;                ///< baseline ÷ time
    std::optional<double> ratio_lo;  ///< 95 % interval; nothing when there is one sample only
    std::optional<double> ratio_hi;
    double baseline_us = 0;  ///< the library's best algorithm, in the same race
    double floor_pct = 0;    ///< 100 × floor ÷ time
    double nrmse = 0;
    bool repeatable = false;  ///< bitwise equal output when run twice
    int processes = 1;        ///< that its samples come from
    /// Kernels of the cell that are the fastest as far as these measurements can tell; 0 where this
    /// is none of them.
    int tied = 1;
};

/// Which of the kernels that may win a cell are looked at.
struct KernelFilter {
    std::optional<double> max_nrmse = {};
    bool repeatable = false;
    bool any_m = false;            ///< only those that serve other m, too
    bool without_library = false;  ///< only those without a step of the library
    std::optional<Layout> layout = {};
    std::optional<Problem> matrix = {};  ///< its m does not matter
    std::optional<std::int64_t> m = {};
};

/// What the rules ask of each kernel.
KernelFilter filter_of(const TableRules& rules);

/// The rows of view `best` for a device and a policy, or the winners by the same rule among the
/// kernels that pass the filter.
Rows winners(const Store& store,
             const std::string& device_key,
             const std::string& policy,
             const KernelFilter& filter = {});

/// All kernels that pass it, by cell in the order of winners(); those of a cell that were confirmed
/// first, then those with enough samples, and by ratio, the greatest first.
Rows ranked(const Store& store,
            const std::string& device_key,
            const std::string& policy,
            const KernelFilter& filter);

/// What was tried and is not correct, whatever it was (throttled kernels aside, which are tried
/// again): rows of view `candidates_flat`.
Rows failed(const Store& store, const std::string& device_key, const std::string& policy);

/// One of the rows of winners() or ranked().
Winner winner(const Rows& rows, std::size_t row);

/// Keys of the policies under which a device has measurements, that of its newest run first.
std::vector<std::string> policies(const Store& store, const std::string& device_key);

/// The first of them when nothing is asked for, "" without any; else the one with that key, or the
/// only one in whose key that text stands. Throws UsageError, listing them, when it is not one.
std::string chosen_policy(const std::vector<std::string>& policies, const std::string& asked);

/// The device as a sweep last found it. Throws UsageError when an fdkbench of another version wrote
/// that.
DeviceInfo swept_device(const Store& store, const std::string& device_key);

/// The policy itself. Throws UsageError when this program measures in another way.
MeasuringPolicy measuring_policy(const Store& store, const std::string& policy);

}  // namespace fdkbench
