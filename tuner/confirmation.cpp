#include "tuner/confirmation.hpp"

#include "src/core/statistics.hpp"

#include <algorithm>

namespace fdkbench {

namespace {

/// So that a cell that is swept again gives the same ratio within 1 %. Simulated, from 8 processes
/// on: where a kernel's time differs by 1 % (standard deviation) from process to process, the
/// ratios of 20 sweeps are mostly 0.7 % apart at the outside, and in 94 of 100 cases less than 1 %;
/// with an aim of 0.5 % that is 83, with 20 processes at most 80. Processes differ by
/// about half as much since blocks have x and y in different places, and four do to begin with;
/// that was not simulated.
constexpr double kHalfWidth = 0.004;
constexpr int kMostConfirmations = 32;

bool is_wide(const Finalist& finalist) {
    const Measurement& measurement = finalist.measurement;
    if (!measurement.ratio_lo || !measurement.ratio_hi) {
        return true;
    }
    const RatioEstimate estimate{*measurement.ratio, *measurement.ratio_lo, *measurement.ratio_hi};
    return estimate.half_width() >= kHalfWidth;
}

const Finalist& leader(const std::vector<Finalist>& finalists) {
    return *std::ranges::max_element(
        finalists, {}, [](const Finalist& finalist) { return finalist.measurement.ratio; });
}

}  // namespace

int most_confirmations(const SweepOptions& options) {
    return options.quick ? options.confirmations
                         : std::max(options.confirmations, kMostConfirmations);
}

std::vector<Finalist> finalists_in_doubt(MeasurementSink& sink,
                                         const SweepOptions& options,
                                         const Problem& problem,
                                         int& confirmations) {
    const int most = most_confirmations(options);
    std::vector<Finalist> finalists = sink.unconfirmed(problem, 1 + confirmations);
    if (!finalists.empty() || confirmations >= most) {
        return finalists;
    }
    finalists = sink.unconfirmed(problem, 1 + most);
    if (finalists.empty() || !(is_wide(finalists.front()) || is_wide(leader(finalists)))) {
        return {};
    }
    // More than it was to rest on when another sweep was interrupted.
    const int done = processes(finalists.front().measurement.samples) - 1;
    confirmations = std::min(2 * std::max(done, confirmations), most);
    return sink.unconfirmed(problem, 1 + confirmations);
}

}  // namespace fdkbench
