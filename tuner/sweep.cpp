#include "tuner/sweep.hpp"

#include "tuner/cell_session.hpp"

#include <fmt/format.h>

namespace fdkbench {

namespace {

using Clock = std::chrono::steady_clock;

/// Goes through the cells of a plan in order.
class Sweep {
  public:
    Sweep(SweepContext& context, const SweepPlan& plan) : context_(context), plan_(plan) {}

    void run() {
        const bool compile_ahead = context_.options.device.backend != "host";
        if (compile_ahead) {
            for (const CellPlan& cell : plan_.cells) {
                context_.compiles.request(cell);
            }
        }
        for (std::size_t index = 0; index < plan_.cells.size(); ++index) {
            if (plan_.cells[index].candidates.empty()) {
                continue;
            }
            if (context_.stopping()) {
                context_.outcome.complete = false;
                return;
            }
            context_.compiles.request(plan_.cells[index]);
            run_cell(index);
        }
    }

  private:
    void run_cell(std::size_t index) {
        const CellPlan& cell = plan_.cells[index];
        context_.listener.cell_started(index, cell.problem);
        CellSession session(context_, cell);
        try {
            session.run();
        } catch (const Interrupted&) {
            context_.outcome.complete = false;
        } catch (const CellUnavailable& fault) {
            context_.outcome.left_out.push_back(
                fmt::format("{}: {}", to_string(cell.problem), fault.what()));
            context_.listener.warning("left out: " + context_.outcome.left_out.back());
        }
        context_.listener.cell_done(index, cell.problem, session.leader());
    }

    SweepContext& context_;
    const SweepPlan& plan_;
};

}  // namespace

SweepOutcome run_sweep(const SweepOptions& options,
                       const SweepPlan& plan,
                       WorkerFactory& factory,
                       MeasurementSink& sink,
                       SweepListener& listener,
                       const std::atomic<bool>& stop) {
    std::optional<Clock::time_point> deadline;
    if (options.time_limit) {
        deadline = Clock::now() + *options.time_limit;
    }
    SweepOutcome outcome;
    CompileFeed compiles(options, factory, sink, listener);
    DeviceWorker worker(options, factory);
    SweepContext context{options, sink, listener, compiles, worker, outcome, [&] {
                             return stop || (deadline && Clock::now() >= *deadline);
                         }};
    listener.planned(plan.cells.size(), plan.candidates, plan.already_measured);
    Sweep(context, plan).run();
    return outcome;
}

}  // namespace fdkbench
