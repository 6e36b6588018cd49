#pragma once

#include "results/dispatch_table.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fdkbench {

/// What one matrix takes longer by a table than by another of the same device and policy, as far as
/// both serve it. Factors are times by the table ÷ times by the other, above 1 slower.
struct MatrixCost {
    /// One m that the other table has an entry for.
    struct AtM {
        std::int64_t m = 0;
        double factor = 1;  ///< by the ratios where both were measured for m, else as predicted
    };
    Problem matrix;  ///< its m is 0
    std::vector<AtM> served;
    std::vector<std::int64_t> unserved;  ///< m that only the other table serves
    double time_us = 0;                  ///< over all m of the weights
    double other_us = 0;
};

/// For each matrix of `other`, in its order; `weights`: see TableRules.
std::vector<MatrixCost> table_costs(const DispatchTable& table,
                                    const DispatchTable& other,
                                    const RowCounts& weights);

/// For people: a line with geometric mean and worst over all m, and one for each matrix that loses,
/// of many for those that lose most; with `by_weights` also the time over all m of the weights.
/// `what` is the rule that costs it, as it is typed.
std::string cost_text(const std::string& what,
                      const std::vector<MatrixCost>& costs,
                      bool by_weights);

}  // namespace fdkbench
