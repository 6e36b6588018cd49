#pragma once

#include "results/dispatch_table.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace fdkbench {

/// The m at which several matrices were swept, ascending; all where none has several. At others a
/// matrix was measured for itself, perhaps with few kernels. `matrices`: by m, how many.
std::vector<std::int64_t> common_m(const std::map<std::int64_t, int>& matrices);

/// One m between each two neighbours of those that were swept, ascending: the geometric middle.
/// `swept` is ascending; neighbours without a number between them have none.
std::vector<std::int64_t> middles(const std::vector<std::int64_t>& swept);

/// A matrix between those that were swept for one format, or beside a single one: the geometric
/// middle of the two neighbours (by their number of weights) that are furthest apart, or 1.5 times
/// n and k, rounded to multiples of 256 or, where that was swept, of smaller powers of two. k is a
/// multiple of the group size.
/// `swept`: at least one; their m does not matter.
Problem unswept_matrix(std::vector<Problem> swept);

/// What tells whether a table serves well what was not swept: for every matrix of the table the
/// middles of its common m unless it was swept there, and for every format one matrix that was not
/// swept with all common m.
std::vector<Problem> unswept_problems(const DispatchTable& table);

}  // namespace fdkbench
