#pragma once

#include "results/cost_model.hpp"
#include "results/explanation.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// A line of an explanation: what it is about, and what it says.
std::string line(const std::string& about, const std::string& text);

/// For people: a line for the problem and some for the kernel, its figures, the choice among ties,
/// the runner-up, the other layout and the library. `rules`: as they were typed; may be empty.
std::string explanation_text(const Explanation& why,
                             const DispatchTable& table,
                             const std::string& rules);

/// The same where `entry`, which serves the problem, was extrapolated: what was predicted, and from
/// what.
std::string extrapolation_text(const Problem& problem,
                               const TableEntry& entry,
                               const std::vector<CostModel::Evidence>& evidence,
                               const DispatchTable& table,
                               const std::string& rules);

}  // namespace fdkbench
