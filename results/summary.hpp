#pragma once

#include "results/winners.hpp"

#include <vector>

namespace fdkbench {

/// The best of one cell, as shown after a sweep.
struct SummaryRow : Winner {
    double baseline_first_us = 0;  ///< its first heuristic choice
    double gb_s = 0;
    double tflop_s = 0;
};

/// The best per cell among `problems`, in their order; cells without a correct kernel are absent.
std::vector<SummaryRow> summary(const Store& store,
                                const DeviceInfo& device,
                                const MeasuringPolicy& policy,
                                const std::vector<Problem>& problems);

/// The best per cell and policy of everything in the database, for people.
QueryResult best_overview(const Store& store);

}  // namespace fdkbench
