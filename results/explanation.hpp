#pragma once

#include "results/dispatch_table.hpp"

#include <optional>
#include <vector>

namespace fdkbench {

/// Why a table serves a problem as it does.
struct Explanation {
    Problem problem;
    TableEntry entry;    ///< that serves it
    double time_us = 0;  ///< measured where that is the entry's own m, else predicted
    /// Another entry that might serve it, and what that would take.
    struct Rival {
        TableEntry entry;
        double time_us = 0;
    };
    std::vector<Rival> neighbours;  ///< the next ones of the matrix, with smaller and greater m
    std::optional<Rival> without_rules;  ///< where another kernel serves it without the rules
    /// The library's time for the problem with 16-bit weights; nothing where it was not measured.
    std::optional<double> baseline_us;
    // At the entry's m, among the kernels that keep to the rules:
    std::vector<TableEntry> tied;            ///< others among which this one was chosen
    std::optional<TableEntry> runner_up;     ///< the best other kernel of the entry's layout
    std::optional<TableEntry> other_layout;  ///< the winner of the other layout
};

/// Why `entry`, which entry_for() gives for the problem, serves it; the table was read from `store`
/// by the same rules.
Explanation explain(const Store& store,
                    const DispatchTable& table,
                    const TableRules& rules,
                    const Problem& problem,
                    const TableEntry& entry);

/// At most `count` matrices of the table, those most like the problem's first; their m is 0.
std::vector<Problem> nearest_matrices(const DispatchTable& table,
                                      const Problem& problem,
                                      std::size_t count);

}  // namespace fdkbench
