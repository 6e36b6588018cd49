#pragma once

#include "results/table_entry.hpp"

#include <cstdint>
#include <vector>

namespace fdkbench {

/// What the entry is expected to take for m rows that it was not measured for: its time × the tiles
/// of m ÷ those of its own m, at least its time; where one launch does not take so many, the sum
/// over several. Infinity where its plan does not say how it follows m.
double predicted_us(const TableEntry& entry, std::int64_t m);

/// What it takes for m rows: measured where that is its own m, else predicted.
double served_us(const TableEntry& entry, std::int64_t m);

/// Sets first_m and last_m of the entries of one matrix, given by m: every entry has its own m.
/// Between two of them the one with the lower predicted time is taken, the one for fewer rows where
/// they are equal. But where the lower one needs more tiles than for its own m, and in one launch
/// as many as for that of the higher one, which won there, the higher one is taken. Below the
/// smallest m and beyond the largest that one. An m that neither neighbour can do is in no
/// interval.
void set_intervals(std::vector<TableEntry>& entries);

}  // namespace fdkbench
