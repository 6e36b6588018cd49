#pragma once

#include "results/table_entry.hpp"

#include <map>
#include <string>
#include <vector>

namespace fdkbench {

/// The winners of one matrix's cells (same n, k, bits, group size and type) among the kernels of
/// one layout, by m.
using LayoutWinners = std::vector<TableEntry>;

/// Those of every matrix that was measured on a device under a policy, in each layout, among the
/// kernels that pass the filter, whose own layout does not count.
std::map<Problem, std::vector<LayoutWinners>> winners_by_matrix(const Store& store,
                                                                const std::string& device_key,
                                                                const std::string& policy,
                                                                KernelFilter filter = {});

/// What a table keeps of them, with intervals (set_intervals), and what that costs.
struct LayoutChoice {
    LayoutWinners entries;
    std::vector<std::string> costs;  ///< see DispatchTable::layout_costs
};

/// A user keeps one copy of the weights: of all m that were measured in some layout, chooses the
/// layout that serves most and, of those, the one with the greatest geometric mean of the ratios,
/// predicted where its kernels were measured for other m only; the first where they are equal.
LayoutChoice choose_layout(std::vector<LayoutWinners> layouts);

}  // namespace fdkbench
