#pragma once

#include "results/cost_model.hpp"
#include "results/dispatch_table.hpp"

#include <vector>

namespace fdkbench {

/// The entries by which a table serves one matrix that was not swept, chosen from `candidates` (see
/// CostModel::predicted) by the same rules as a swept one; empty when the model knows none of them.
std::vector<TableEntry> extrapolated_entries(const CostModel& model,
                                             std::vector<TableEntry> candidates,
                                             const TableRules& rules = {});

/// Puts entries of a matrix that the table lacks where they belong.
void add_entries(DispatchTable& table, const std::vector<TableEntry>& entries);

/// How a chosen kernel did at a problem that the choice knew nothing of.
struct HeldOut {
    Problem problem;
    double loss = 0;  ///< the time of the chosen kernel ÷ that of the fastest, less 1
};

/// Leaves out each matrix in turn, and has the model choose by the others: what its choice among
/// the kernels of that matrix loses at each m that others have, too. Empty for one matrix.
std::vector<HeldOut> held_out(const std::vector<TableEntry>& measured, int units);

/// The geometric mean of the times ÷ those of the fastest, less 1; 0 for none.
double mean_loss(const std::vector<HeldOut>& all);

}  // namespace fdkbench
