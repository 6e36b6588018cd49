#pragma once

#include "results/table_entry.hpp"

#include <cstddef>
#include <vector>

namespace fdkbench {

/// Rows of `costs` (all of one length, 0 or more), at most `count` ≥ 1 of them, whose least cost in
/// each column has the least sum: costs[i][c] is that of choosing i for column c. The best choice
/// for count ≤ 2; beyond that the best two, more one by one, then exchanged for others as long as
/// that is better. Of equal choices the fewest rows and the first ones.
std::vector<std::size_t> choose_rows(const std::vector<std::vector<double>>& costs,
                                     std::size_t count);

/// At most `most` kernels of one matrix instead of all in `best`, its winners by m in one layout:
/// those among these and `measured` that take the least time when each m occurs
/// as often as `weights` says (empty: each m of `best` once). A kernel is a family with parameters
/// and one machine code. Its time is the winner's × the quotient of their ratios where it was
/// measured for that m, else predicted_us(); never less than the winner's. Plans must have a
/// tiling. Gives the entries by m: of each m of `best` the fastest of the kernels, if it was
/// measured there.
std::vector<TableEntry> few_kernels(const std::vector<TableEntry>& best,
                                    const std::vector<TableEntry>& measured,
                                    int most,
                                    const RowCounts& weights);

}  // namespace fdkbench
