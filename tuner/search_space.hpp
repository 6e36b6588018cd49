#pragma once

#include "kernels/family.hpp"
#include "tuner/sweep.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// The families of the device's backend whose names the filters let pass (found anywhere in the
/// name, ECMAScript syntax). Throws UsageError for a bad expression or when none is left, with the
/// names to choose from.
std::vector<const Family*> chosen_families(const SweepOptions& options);

/// Every candidate of one problem: for each family that claims it, the product of its axes without
/// the points that it skips and those that cannot be launched as the policy says; throws UsageError
/// when nothing can be on this device. With options.quick, and of a fallback beside a family that
/// is none, only the points that differ in at most one axis from the point of all first values, or
/// from the first valid point where that one is skipped.
CellPlan enumerate_candidates(const Problem& problem,
                              const std::vector<const Family*>& families,
                              const SweepOptions& options);

/// The same from what was stored; nothing when this program has no such family, or its parameters
/// are others now.
std::optional<Candidate> rebuilt_candidate(const std::string& family,
                                           const Problem& problem,
                                           const Params& params,
                                           const SweepOptions& options);

/// The candidate that a family's parameters make on a problem.
Candidate make_candidate(const Family& family,
                         const Problem& problem,
                         const Params& params,
                         const SweepOptions& options);

}  // namespace fdkbench
