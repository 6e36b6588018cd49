#pragma once

#include "src/core/statistics.hpp"
#include "tuner/sweep.hpp"

#include <atomic>

namespace fdkbench {

/// How much to measure.
struct NoiseEffort {
    int processes = 5;
    int blocks = 12;  ///< in each process
    int replays = 4;  ///< of the candidate in each block
};

/// Times one candidate again and again: log ratios to the baseline by process, block and replay.
/// `listener` gets warnings.
/// Throws EnvironmentError when it cannot be timed, Interrupted when `stop` rises.
NestedSamples measure_noise(const SweepOptions& options,
                            WorkerFactory& factory,
                            const Candidate& candidate,
                            const NoiseEffort& effort,
                            SweepListener& listener,
                            const std::atomic<bool>& stop);

}  // namespace fdkbench
