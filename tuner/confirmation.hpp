#pragma once

#include "tuner/sweep.hpp"

#include <vector>

namespace fdkbench {

/// How many processes confirm a cell at most: as many as the sweep asks for when it is quick, else
/// up to 24.
int most_confirmations(const SweepOptions& options);

/// Kernels of the cell that one more process should time, the winner as things stand first; none
/// when nothing is in doubt. The winner is to rest on `confirmations` processes beside the race.
/// Once it does and an interval that matters, the winner's or the leader's, is not within ±0.4 %,
/// it is to rest on twice as many, as far as most_confirmations() allows; `confirmations` says so
/// then. It is not looked at in between: the more looks, the more often one finds processes that
/// agree by luck.
std::vector<Finalist> finalists_in_doubt(MeasurementSink& sink,
                                         const SweepOptions& options,
                                         const Problem& problem,
                                         int& confirmations);

}  // namespace fdkbench
