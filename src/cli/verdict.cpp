#include "src/cli/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fdkbench {

namespace {

/// Less than this is no drift, however narrow the intervals.
constexpr double kLeastDrift = 0.01;
/// What the intervals would hide beyond this is not said to hold.
constexpr double kMostUnseen = 0.1;
/// A kernel that fails so often is broken; once may have been the machine.
constexpr int kMostFailures = 2;

bool failed(const Measurement& measured) {
    return measured.status != CandidateStatus::kCorrect &&
           measured.status != CandidateStatus::kThrottled;
}

Judgement not_measured(const std::string& why) {
    return {Verdict::kNotMeasured, "not measured: " + why};
}

/// Both are correct.
Judgement compared(const Measurement& stored, const Measurement& now) {
    if (!stored.ratio_lo || !stored.ratio_hi) {
        return not_measured("one sample is stored, which nothing could contradict; sweep --force");
    }
    if (!now.ratio_lo || !now.ratio_hi) {
        return not_measured("one sample was taken, which could contradict nothing");
    }
    const double change = *now.ratio / *stored.ratio - 1;
    const bool apart = *now.ratio_hi < *stored.ratio_lo || *now.ratio_lo > *stored.ratio_hi;
    if (apart && std::abs(change) > kLeastDrift) {
        return {Verdict::kDrifted, fmt::format("DRIFTED {:+.1f} %", 100 * change)};
    }
    const double unseen =
        std::max(*now.ratio_hi / *stored.ratio_lo, *stored.ratio_hi / *now.ratio_lo) - 1;
    // Not a number or infinite where an interval ends at 0.
    if (!(unseen <= kMostUnseen)) {
        return not_measured(
            std::isfinite(unseen)
                ? fmt::format("the intervals would hide a drift of {:.0f} %", 100 * unseen)
                : "the intervals would hide any drift");
    }
    return {Verdict::kHolds, "holds"};
}

}  // namespace

void Trial::add(Measurement measured) {
    if (failed(measured)) {
        ++failures_;
        wrong_output_ = wrong_output_ || measured.status == CandidateStatus::kCorrectness;
        failure_ = failure_text(measured);
        return;
    }
    std::vector<Sample>& samples = measured.samples;
    const std::vector<Sample> before = now_ ? now_->samples : std::vector<Sample>();
    for (Sample& sample : samples) {
        sample.process = 1 + processes(before);
    }
    samples.insert(samples.end(), before.begin(), before.end());
    if (!before.empty()) {
        measured.status = CandidateStatus::kCorrect;
        summarise(measured, problem_);
    }
    now_ = std::move(measured);
}

Judgement Trial::judgement() const {
    if (wrong_output_ || failures_ >= kMostFailures) {
        return {Verdict::kWrong, "WRONG: " + failure_};
    }
    if (!now_) {
        return not_measured(failure_.empty() ? nothing_ : failure_);
    }
    return now_->status == CandidateStatus::kCorrect ? compared(stored_, *now_)
                                                     : not_measured(failure_text(*now_));
}

bool Trial::in_doubt() const {
    const Verdict verdict = judgement().verdict;
    return verdict != Verdict::kHolds && verdict != Verdict::kWrong;
}

}  // namespace fdkbench
