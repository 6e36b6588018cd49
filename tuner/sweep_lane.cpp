#include "tuner/sweep_lane.hpp"

#include "tuner/search_space.hpp"

#include <fmt/format.h>

#include <utility>

namespace fdkbench {

namespace {

/// Times the number of confirmations.
constexpr int kMostPasses = 3;

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
        raced_.push_back(index);
        return;
    }
    listener_.cell_started(index, cell.problem);
    SweepContext context{
        lane_.options, lane_.sink, listener_, compiles_, worker_, outcome_, stopping_};
    CellSession session(context, {.plan = cell, .limits = race_limits()});
    guarded(cell.problem, [&] {
        session.run();
        raced_.push_back(index);
    });
    listener_.cell_done(index, cell.problem, session.leader());
}

/// Each pass is one fresh process that goes through the cells whose winner is still in doubt: as
/// many as there are confirmations as a rule, a few more where the processes disagree.
void LaneRunner::confirm() {
    const int processes = 1 + lane_.options.confirmations;
    const int most_passes = kMostPasses * lane_.options.confirmations;
    worker_.stop();
    std::vector<std::size_t> doubtful = raced_;
    for (int pass = 0; pass < most_passes && !doubtful.empty(); ++pass) {
        DeviceWorker fresh(lane_.options, lane_.factory, use_, listener_);
        std::vector<std::size_t> confirmed;
        for (const std::size_t index : doubtful) {
            if (stopping_()) {
                return;
            }
            const Problem& problem = plan_.cells[index].problem;
            const auto finalists = lane_.sink.unconfirmed(problem, processes);
            if (!finalists.empty() && confirm(problem, finalists, fresh)) {
                confirmed.push_back(index);
            }
        }
        doubtful = confirmed;
    }
    for (const std::size_t index : raced_) {
        lane_.sink.decide(plan_.cells[index].problem, lane_.options.margin, processes);
    }
}

bool LaneRunner::confirm(const Problem& problem,
                         const std::vector<Finalist>& finalists,
                         DeviceWorker& worker) {
    listener_.confirming(problem, finalists.size());
    auto& cell = finalists_.emplace_back(std::make_unique<CellPlan>());
    cell->problem = problem;
    RaceLimits limits{.drop = false};
    limits.most_rounds = limits.least_rounds;
    CellTask task{.plan = *cell, .limits = limits};
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
    compiles_.request(*cell);
    SweepContext context{
        lane_.options, lane_.sink, listener_, compiles_, worker, outcome_, stopping_};
    return guarded(problem, [&] { CellSession(context, task).run(); });
}

}  // namespace fdkbench
