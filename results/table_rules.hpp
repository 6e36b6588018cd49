#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace fdkbench {

/// How often each m occurs: m → count above 0.
using RowCounts = std::map<std::int64_t, double>;

/// What the user asks of a table beyond speed.
struct TableRules {
    std::optional<double> max_nrmse = {};  ///< only kernels with at most this error
    bool repeatable = false;  ///< only those whose output was bitwise equal when run twice
    /// A row of y is bitwise the same whatever other rows there are: one kernel for all m of a
    /// matrix, repeatable, that serves any m, and without a step of the library, which chooses its
    /// algorithm by m. The kernels in this repository add up a row in an order that is fixed when
    /// they are compiled.
    bool batch_invariant = false;
    int max_kernels = 0;     ///< for each matrix; 0: any number
    RowCounts weights = {};  ///< by which few kernels are chosen; empty: each m that was swept once

    /// Kernels for each matrix; 0: any number.
    [[nodiscard]] int limit() const { return batch_invariant ? 1 : max_kernels; }
};

}  // namespace fdkbench
