#pragma once

#include "src/core/measurement.hpp"

#include <span>
#include <vector>

namespace fdkbench {

/// Middle value, or the mean of the two middle ones. `values` must not be empty.
double median(std::vector<double> values);

/// Middle time of the samples, of which there must be one at least.
double median_time_us(std::span<const Sample> samples);

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
/// estimate, and from one sample it is [0, ∞). Of samples from several processes the ratio is the
/// median of the processes' estimates, and the interval is widened to hold each of these: what
/// differs from process to process is part of the uncertainty.
RatioEstimate paired_ratio(std::span<const Sample> samples);

}  // namespace fdkbench
