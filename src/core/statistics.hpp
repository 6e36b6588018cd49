#pragma once

#include "src/core/measurement.hpp"

#include <span>
#include <vector>

namespace fdkbench {

/// Middle value, or the mean of the two middle ones. `values` must not be empty.
double median(std::vector<double> values);

/// Middle time of the samples, of which there must be one at least.
double median_time_us(std::span<const Sample> samples);

/// The samples that say how fast a kernel is: not those of the race, which chose it and timed it
/// among many others, where two processes at least confirmed it.
std::vector<Sample> decisive_samples(std::span<const Sample> samples);

/// A ratio with its 95 % confidence interval.
struct RatioEstimate {
    double ratio = 0;
    double lo = 0;
    double hi = 0;
    /// (hi − lo) ÷ 2 ÷ ratio.
    [[nodiscard]] double half_width() const;
};

/// Baseline time ÷ candidate time from paired samples: the Hodges–Lehmann estimate and its
/// Wilcoxon signed-rank interval over log(√(before·after) ÷ time). With fewer than 6 samples no
/// such interval exists: the interval is then the range of the samples widened twofold about the
/// estimate, and from one sample it is [0, ∞). Where the decisive samples come from several
/// processes, both are taken over the processes' medians: what differs from process to process is
/// often most of what differs at all, and within one a few samples may lie far off, where x and y
/// are in a bad place.
RatioEstimate paired_ratio(std::span<const Sample> samples);

/// Values by process, block and replay; the same number of each everywhere, two at least.
using NestedSamples = std::vector<std::vector<std::vector<double>>>;

/// Standard deviations of what makes samples of one kernel differ, as shares (0.01: 1 %).
struct NoiseBudget {
    double replay = 0;   ///< between replays of one block
    double block = 0;    ///< between blocks of one process, beyond that
    double process = 0;  ///< between processes, beyond that
    /// The smallest true difference of two kernels that shows with 95 % confidence when each is
    /// timed once in each of `blocks` blocks of each of `processes` processes. For means; where a
    /// process counts by its median, what blocks and replays add is up to 15 % more.
    [[nodiscard]] double resolvable(int processes, int blocks) const;
};

/// By the analysis of variance for nested samples of logarithms. Throws std::invalid_argument for
/// samples of another form.
NoiseBudget noise_budget(const NestedSamples& logs);

}  // namespace fdkbench
