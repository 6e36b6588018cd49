#pragma once

#include "results/dispatch_table.hpp"

#include <vector>

namespace fdkbench {

/// Where to look next for the m from which another kernel is the fastest. Of two neighbouring
/// entries of a matrix with different kernels, the lower one takes longer only beyond a whole
/// number of its tiles of rows: this is the middle one of such m between the two, as far as one
/// launch of the lower takes so many. Nothing where equal kernels stand on both sides, where a plan
/// does not say how it follows m, or where no such m is left: once what it gives has been measured,
/// the next call halves what is left, down to a tile.
std::vector<Problem> crossings(const DispatchTable& table);

/// The same by what the cells of these problems alone say, layout included: between the m of a
/// sweep, not what was measured at others since. Device and policy are the table's.
std::vector<Problem> first_crossings(const Store& store,
                                     const DispatchTable& table,
                                     const std::vector<Problem>& swept);

/// The kernels that win an m of their matrix, in whichever layout, each once for each matrix: what
/// is worth comparing at any crossing. Both layouts, so that the table can still choose between
/// them by m that both have. Device and policy are the table's.
std::vector<TableEntry> finalists(const Store& store, const DispatchTable& table);

}  // namespace fdkbench
