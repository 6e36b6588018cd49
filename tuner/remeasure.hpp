#pragma once

#include "tuner/sweep.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// A candidate, compiled and measured now.
struct Remeasured {
    std::string binary_hash;  ///< empty when it did not compile
    /// Nothing when it was not reached: the sweep stopped, or `left_out` says why.
    std::optional<Measurement> measurement;
    std::string left_out;
};

/// Measures every candidate once more, in one fresh worker process, each alone between its
/// baselines; records nothing. Results stand in the order of the candidates.
std::vector<Remeasured> remeasure(const SweepOptions& options,
                                  WorkerFactory& factory,
                                  const std::vector<Candidate>& candidates,
                                  SweepListener& listener,
                                  const std::atomic<bool>& stop);

}  // namespace fdkbench
