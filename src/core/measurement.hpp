#pragma once

#include "src/core/candidate_status.hpp"
#include "src/core/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What a device says of itself at one moment; absent where it cannot tell.
struct Conditions {
    std::optional<double> sm_clock_mhz;
    std::optional<double> power_w;
    std::optional<double> temperature_c;
    /// Why the device holds its clock down: "sw_power_cap", "hw_thermal_slowdown", …
    std::vector<std::string> throttle_reasons;
};

/// One timed replay of a candidate between two replays of the baseline.
struct Sample {
    double time_us = 0;             ///< per launch
    double baseline_before_us = 0;  ///< per launch, at the block's start
    double baseline_after_us = 0;   ///< per launch, at the block's end
    /// Samples from one worker process have the same number: 0 in the race, then 1, 2, … in the
    /// processes that confirmed it.
    int process = 0;
    std::optional<double> sm_clock_mhz = {};  ///< at the block's end
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

    std::optional<double> time_us;   ///< median over the decisive samples
    std::optional<double> ratio;     ///< baseline time ÷ candidate time, paired; above 1 is faster
    std::optional<double> ratio_lo;  ///< 95 % interval of ratio
    std::optional<double> ratio_hi;
    std::optional<double> baseline_us;        ///< best of the library's algorithms, this race
    std::optional<double> baseline_first_us;  ///< the library's first heuristic choice, this race
    std::optional<double> gb_s;               ///< bytes_moved ÷ time
    std::optional<double> tflop_s;
    std::optional<double> floor_us;       ///< what the device needs at least (design: speed)
    std::optional<double> floor_pct;      ///< 100 · floor_us ÷ time_us
    std::optional<double> power_w;        ///< the highest that was read around a block
    std::optional<double> temperature_c;  ///< likewise
    std::optional<double> energy_uj;      ///< per call, in a run of calls without a pause
    int discarded =
        0;  ///< blocks not counted because the device was throttled or changed its clock
    std::vector<Sample> samples;
};

/// "timeout: no answer within 30 s": the status, and the first line of the message.
std::string failure_text(const Measurement& measurement);

/// How many processes the samples come from.
int processes(const std::vector<Sample>& samples);

/// Fills what follows from samples and floor_us: time_us, ratio and its interval (none from one
/// sample), gb_s, tflop_s, floor_pct. Needs a sample.
void summarise(Measurement& measurement, const Problem& problem);

}  // namespace fdkbench
