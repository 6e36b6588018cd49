#include "tuner/confirmation.hpp"

#include "src/core/statistics.hpp"

#include <algorithm>

namespace fdkbench {

namespace {

/// So that a cell that is swept again gives the same ratio within 1 %, as far as the processes of
/// three cells on an H100 tell (results/published/h100-notes.md).
constexpr double kHalfWidth = 0.004;
constexpr int kMostConfirmations = 24;

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
