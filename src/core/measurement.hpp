#pragma once

#include "src/core/candidate_status.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// One timed replay of a candidate between two replays of the baseline.
struct Sample {
    double time_us = 0;             ///< per launch
    double baseline_before_us = 0;  ///< per launch, at the block's start
    double baseline_after_us = 0;   ///< per launch, at the block's end
};

/// How far an output is from a reference.
struct Accuracy {
    double rmse = 0;   ///< √mean(e²)
    double nrmse = 0;  ///< rmse ÷ RMS(reference)
};

/// What the compiler and the driver say a kernel takes.
struct KernelResources {
    int registers = 0;              ///< per thread, the maximum over the steps
    std::int64_t shared_bytes = 0;  ///< per block, static and dynamic
    std::int64_t local_bytes = 0;   ///< per thread: spills and stack
};

/// All that is kept of one candidate on one problem. Absent values were never obtained.
struct Measurement {
    CandidateStatus status = CandidateStatus::kCorrect;
    std::string message;  ///< why, when the status is not `correct`

    std::optional<Accuracy> accuracy;           ///< against the reference on dequantised weights
    std::optional<Accuracy> accuracy_original;  ///< against the product with unquantised weights
    std::optional<bool> repeatable;             ///< bitwise equal output when run twice
    std::optional<KernelResources> resources;

    std::optional<double> time_us;   ///< median over samples
    std::optional<double> ratio;     ///< baseline time ÷ candidate time, paired; above 1 is faster
    std::optional<double> ratio_lo;  ///< 95 % interval of ratio
    std::optional<double> ratio_hi;
    std::optional<double> baseline_us;        ///< best of the library's algorithms, this race
    std::optional<double> baseline_first_us;  ///< the library's first heuristic choice, this race
    std::optional<double> gb_s;               ///< bytes_moved ÷ time
    std::optional<double> tflop_s;
    std::optional<double> floor_us;   ///< what the device needs at least (design: speed)
    std::optional<double> floor_pct;  ///< 100 · floor_us ÷ time_us
    std::vector<Sample> samples;
};

}  // namespace fdkbench
