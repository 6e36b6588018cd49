#pragma once

#include "tuner/cell_queue.hpp"
#include "tuner/cell_session.hpp"
#include "tuner/sweep.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// Takes cells from a queue to one device: races, then confirmations in fresh processes.
class LaneRunner {
  public:
    LaneRunner(SweepLane& lane,
               const SweepPlan& plan,
               SweepListener& listener,
               std::function<bool()> stopping);

    /// The device's first look at the baseline of the plan's first cell with work, in µs; nothing
    /// when it could not be prepared.
    std::optional<double> first_baseline_us();
    /// Until the queue is empty or the sweep stops.
    void run(CellQueue& queue);
    /// All but the seconds.
    [[nodiscard]] const SweepOutcome& outcome() const { return outcome_; }
    [[nodiscard]] const DeviceSeconds& seconds() const { return use_.seconds; }

  private:
    /// A cell whose rows are complete.
    struct RacedCell {
        std::size_t index = 0;  ///< in the plan
        /// PrepareReply::close_baselines of the first process that prepared it; empty before.
        std::vector<std::string> baselines;
    };

    void race(std::size_t index);
    void confirm();
    bool confirm(RacedCell& raced, const std::vector<Finalist>& finalists, DeviceWorker& worker);
    template <typename Run>
    bool guarded(const Problem& problem, Run run);
    [[nodiscard]] RaceLimits race_limits() const;

    SweepLane& lane_;
    const SweepPlan& plan_;
    SweepListener& listener_;
    std::function<bool()> stopping_;
    SweepOutcome outcome_;
    DeviceUse use_;
    CompileFeed compiles_;
    DeviceWorker worker_;
    std::vector<RacedCell> raced_;
    /// The compile feed keeps pointers to their candidates.
    std::vector<std::unique_ptr<CellPlan>> finalists_;
};

}  // namespace fdkbench
