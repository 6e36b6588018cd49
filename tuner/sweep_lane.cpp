#include "tuner/sweep_lane.hpp"

#include "tuner/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fdkbench {

namespace {

/// Times the number of confirmations.
constexpr int kMostPasses = 3;
/// After so many passes in a row in which nothing could be timed the device is too busy.
constexpr int kMostIdle = 3;

/// A cell that is being confirmed.
struct Doubt {
    std::size_t cell = 0;  ///< of those that were raced
    int timed_in = 0;      ///< processes of all its finalists before the last pass
    int idle = 0;          ///< passes in a row that added none

    /// Whether another pass may add to what the finalists have.
    bool moves(const std::vector<Finalist>& finalists) {
        int now = 0;
        for (const Finalist& finalist : finalists) {
            now += processes(finalist.measurement.samples);
        }
        idle = now == timed_in ? idle + 1 : 0;
        timed_in = now;
        return idle < kMostIdle;
    }
};

}  // namespace

LaneRunner::LaneRunner(SweepLane& lane,
                       const SweepPlan& plan,
                       SweepListener& listener,
                       std::function<bool()> stopping)
    : lane_(lane),
      plan_(plan),
      listener_(listener),
      stopping_(std::move(stopping)),
      compiles_(lane.options, lane.factory, lane.sink, listener),
      worker_(lane.options, lane.factory, use_, listener) {}

std::optional<double> LaneRunner::first_baseline_us() {
    try {
        for (const CellPlan& cell : plan_.cells) {
            if (cell.has_work()) {
                return worker_.prepare(cell.problem).baseline_us;
            }
        }
    } catch (const Interrupted&) {
        outcome_.complete = false;
    } catch (const CellUnavailable&) {
        return std::nullopt;  // its turn to be reported comes
    }
    return std::nullopt;
}

void LaneRunner::run(CellQueue& queue) {
    // The next cells compile while the current ones are measured; on the host they would take the
    // cores that are measured, and beside other devices work that those could do.
    const bool compile_ahead = lane_.options.device.backend != "host" && queue.lanes() == 1;
    const auto take = [&] {
        std::vector<std::size_t> cells = queue.take();
        for (const std::size_t index : cells) {
            if (compile_ahead) {
                compiles_.request(plan_.cells[index]);
            }
        }
        return cells;
    };
    std::vector<std::size_t> current = take();
    while (!current.empty() && !stopping_()) {
        std::vector<std::size_t> next = compile_ahead ? take() : std::vector<std::size_t>();
        for (const std::size_t index : current) {
            if (stopping_()) {
                break;
            }
            compiles_.request(plan_.cells[index]);
            race(index);
        }
        current = compile_ahead ? std::move(next) : take();
    }
    if (lane_.options.confirmations > 0 && !stopping_()) {
        confirm();
    }
    if (!current.empty() || stopping_()) {
        outcome_.complete = false;
    }
}

RaceLimits LaneRunner::race_limits() const {
    RaceLimits limits;
    limits.drop = !lane_.options.complete;
    if (lane_.options.quick) {
        limits.most_rounds = limits.least_rounds;
    }
    return limits;
}

template <typename Run>
bool LaneRunner::guarded(const Problem& problem, Run run) {
    try {
        run();
        return true;
    } catch (const Interrupted&) {
        outcome_.complete = false;
    } catch (const CellUnavailable& fault) {
        outcome_.left_out.push_back(fmt::format("{}: {}", to_string(problem), fault.what()));
        listener_.warning("left out: " + outcome_.left_out.back());
    }
    return false;
}

void LaneRunner::race(std::size_t index) {
    const CellPlan& cell = plan_.cells[index];
    if (cell.candidates.empty()) {
        raced_.push_back({index, {}});
        return;
    }
    listener_.cell_started(index, cell.problem);
    SweepContext context{
        lane_.options, lane_.sink, listener_, compiles_, worker_, outcome_, stopping_};
    CellSession session(context, {.plan = cell, .limits = race_limits()});
    guarded(cell.problem, [&] {
        session.run();
        raced_.push_back({index, session.close_baselines()});
    });
    listener_.cell_done(index, cell.problem, session.leader());
}

/// Each pass is one fresh process that goes through the cells whose winner is still in doubt: as
/// many as there are confirmations as a rule, more where processes were lost or disturbed.
void LaneRunner::confirm() {
    const SweepOptions& options = lane_.options;
    const int processes = 1 + options.confirmations;
    worker_.stop();
    std::vector<Doubt> doubts;
    for (std::size_t cell = 0; cell < raced_.size(); ++cell) {
        doubts.push_back({.cell = cell});
    }
    for (int pass = 0; pass < kMostPasses * options.confirmations && !doubts.empty(); ++pass) {
        DeviceWorker fresh(options, lane_.factory, use_, listener_);
        std::vector<Doubt> left;
        for (Doubt& doubt : doubts) {
            if (stopping_()) {
                return;
            }
            RacedCell& cell = raced_[doubt.cell];
            const Problem& problem = plan_.cells[cell.index].problem;
            const auto finalists = lane_.sink.unconfirmed(problem, processes);
            if (!finalists.empty() && doubt.moves(finalists) && confirm(cell, finalists, fresh)) {
                left.push_back(doubt);
            }
        }
        doubts = std::move(left);
    }
    if (stopping_()) {
        return;  // within the last of them
    }
    for (const RacedCell& cell : raced_) {
        lane_.sink.decide(plan_.cells[cell.index].problem, options.margin, processes);
    }
}

bool LaneRunner::confirm(RacedCell& raced,
                         const std::vector<Finalist>& finalists,
                         DeviceWorker& worker) {
    const Problem& problem = plan_.cells[raced.index].problem;
    listener_.confirming(problem, finalists.size());
    auto& cell = finalists_.emplace_back(std::make_unique<CellPlan>());
    cell->problem = problem;
    RaceLimits limits{.drop = false};
    limits.most_rounds = limits.least_rounds;
    CellTask task{.plan = *cell, .limits = limits, .baselines = raced.baselines};
    for (const Finalist& finalist : finalists) {
        // What this program can no longer build stays as it was measured.
        if (auto candidate =
                rebuilt_candidate(finalist.family, problem, finalist.params, lane_.options)) {
            cell->candidates.push_back(std::move(*candidate));
            task.prior.push_back(finalist.measurement);
            task.hashes.push_back(finalist.binary_hash);
        }
    }
    if (cell->candidates.empty()) {
        return true;
    }
    // As late as it can be: fewer kernels tie then.
    task.energy = processes(finalists.front().measurement.samples) >= lane_.options.confirmations;
    compiles_.request(*cell);
    SweepContext context{
        lane_.options, lane_.sink, listener_, compiles_, worker, outcome_, stopping_};
    CellSession session(context, task);
    const bool done = guarded(problem, [&] { session.run(); });
    if (raced.baselines.empty()) {
        raced.baselines = session.close_baselines();
    }
    return done;
}

}  // namespace fdkbench
