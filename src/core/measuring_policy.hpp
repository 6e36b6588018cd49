#pragma once

#include <cstdint>
#include <string>

namespace fdkbench {

/// Everything that decides what a number means. Two rows with different keys are never mixed.
struct MeasuringPolicy {
    /// Weights and scales rotate over copies of at least this many times the device's cache, in
    /// bytes, the same budget for every bit width and for the baseline.
    double cache_bytes_factor = 5;
    std::string inputs = "normal";  ///< distribution of weights and activations
    std::uint64_t seed = 1;
    double max_nrmse = 4e-3;  ///< gate: a candidate above it is `correctness`, and is not timed

    /// Stable text for the database, for example "cold5-normal-seed1-nrmse0.004-v1". The version
    /// at its end rises when the method of timing changes.
    [[nodiscard]] std::string key() const;
};

}  // namespace fdkbench
