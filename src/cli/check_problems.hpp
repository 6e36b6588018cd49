#pragma once

#include "results/dispatch_table.hpp"
#include "tuner/problems.hpp"

#include <vector>

namespace fdkbench {

/// What a check of the table measures, in plan order: what was typed, with m, bits, group sizes and
/// types of the table (m between the swept ones) where they were not; without matrices, or with -m
/// beside --shape, also those of unswept_problems() in the formats typed. Throws UsageError for
/// what is not possible, or when nothing is left.
std::vector<Problem> check_problems(const ProblemAxes& typed, const DispatchTable& table);

}  // namespace fdkbench
