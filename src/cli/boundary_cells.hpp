#pragma once

#include "results/dispatch_table.hpp"
#include "tuner/sweep.hpp"

#include <vector>

namespace fdkbench {

/// The table's entries of the matrices that are swept, whatever their m, under the sweep's policy.
DispatchTable swept_table(const Store& store, const SweepOptions& sweep);

/// The cells in which its kernels should be compared: those of its entries, and the crossings
/// between these (results/boundaries.hpp). Candidates are the finalists of the matrix that take
/// such an m in one launch: what a kernel can do decides, not whether a sweep would try it there.
/// At the first crossings between the m of the sweep they are joined by all that a sweep would try
/// there, as a kernel that is the fastest between two m need not win either of them. A cell where
/// this program cannot build all finalists has no candidates, as its winner would be the best of
/// the others only, and `skipped` names one that it cannot.
std::vector<CellPlan> boundary_cells(const Store& store, const SweepOptions& sweep);

}  // namespace fdkbench
