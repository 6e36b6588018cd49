#pragma once

#include "results/table_entry.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// The winners of one matrix's cells (same n, k, bits, group size and type) among the kernels of
/// one layout, by m.
using LayoutWinners = std::vector<TableEntry>;

/// What a table keeps of them, and what that costs.
struct LayoutChoice {
    LayoutWinners entries;
    std::vector<std::string> costs;  ///< see DispatchTable::layout_costs
};

/// A user keeps one copy of the weights: chooses the layout that has a kernel for most m and, of
/// those, the one with the greatest geometric mean of the ratios; the first where they are equal.
LayoutChoice choose_layout(const std::vector<LayoutWinners>& layouts);

}  // namespace fdkbench
