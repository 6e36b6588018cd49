#include "results/extrapolation.hpp"
#include "results/stored_rows.hpp"
#include "src/cli/check_problems.hpp"
#include "src/cli/check_report.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/device_choice.hpp"
#include "src/cli/extrapolator.hpp"
#include "src/cli/interrupt.hpp"
#include "src/cli/output.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/progress.hpp"
#include "src/cli/store_sink.hpp"
#include "src/core/artifact_cache.hpp"
#include "src/core/counted.hpp"
#include "src/core/error.hpp"
#include "tuner/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

namespace fdkbench {
namespace {

/// What the table has for each problem.
using Choices = std::map<Problem, CheckedChoice>;

/// The check's own database, in which the table's choice is confirmed beside those that may win.
class CheckSink final : public StoreSink {
  public:
    CheckSink(Store& store, const Choices& choices)
        : StoreSink(store), store_(store), choices_(choices) {}

    std::vector<Finalist> unconfirmed(const Problem& problem, int processes) override {
        std::vector<Finalist> finalists = StoreSink::unconfirmed(problem, processes);
        auto row = choice_row(problem);
        if (!row || row->measurement.status != CandidateStatus::kCorrect ||
            fdkbench::processes(row->measurement.samples) >= processes) {
            return finalists;
        }
        const bool is_there = std::ranges::any_of(finalists, [&](const Finalist& finalist) {
            return finalist.family == row->family && finalist.params == row->params;
        });
        if (!is_there) {
            finalists.push_back(
                {row->family, row->params, row->binary_hash, std::move(row->measurement)});
        }
        return finalists;
    }
    bool decided(const Problem& problem, int processes) override {
        return StoreSink::decided(problem, processes) && unconfirmed(problem, processes).empty();
    }
    /// The choice as it was measured, be it under another candidate's name with the same code.
    [[nodiscard]] std::optional<StoredRow> choice_row(const Problem& problem) const {
        const Candidate& candidate = choices_.at(problem).candidate;
        const auto hash = store_.binary_hash(candidate.compile_key);
        return hash ? kernel_row(store_, problem, *hash, candidate.plan) : std::nullopt;
    }

  private:
    const Store& store_;
    const Choices& choices_;
};

/// What the table has for a problem, as a candidate. Throws UsageError where that is nothing that
/// can be measured.
CheckedChoice choice_for(const DispatchTable& table,
                         const Problem& problem,
                         const SweepOptions& sweep) {
    const TableEntry* entry = entry_for(table, problem);
    if (entry == nullptr) {
        throw UsageError(fmt::format(
            "the table has no kernel for {}: leave it out, or sweep its format at some matrix",
            to_string(problem)));
    }
    auto candidate = rebuilt_candidate(entry->family, problem, entry->params, sweep);
    const auto plan = for_m(entry->plan, problem.shape.m);
    if (!candidate || !plan) {
        throw UsageError(fmt::format(
            "the table's kernel for {}, {} {}, {}: leave it out",
            to_string(problem),
            entry->family,
            to_string(entry->params),
            candidate ? "needs several launches" : "is none of this fdkbench: sweep again, or"));
    }
    if (candidate->plan != *plan) {
        throw UsageError(fmt::format(
            "{} {} is launched in another way now than when it was swept: sweep its matrix again",
            entry->family,
            to_string(entry->params)));
    }
    return {std::move(*candidate), entry->extrapolated, {}, {}};
}

Choices choices_of(DispatchTable table,
                   const Store& store,
                   const std::vector<Problem>& problems,
                   const SweepOptions& sweep) {
    const Extrapolator extrapolator(store, table, {});
    Choices choices;
    for (const Problem& problem : problems) {
        if (!has_matrix(table, problem)) {
            add_entries(table, extrapolator.entries(problem));
        }
        choices.emplace(problem, choice_for(table, problem, sweep));
    }
    return choices;
}

/// Sees to it that the choice is in its race, in front, and stays there until it has an interval.
void put_in_front(const Candidate& choice, CellPlan& cell, MeasurementSink& sink) {
    const auto found = std::ranges::find_if(cell.candidates, [&](const Candidate& candidate) {
        return candidate.compile_key == choice.compile_key && candidate.plan == choice.plan;
    });
    if (found != cell.candidates.end()) {
        std::rotate(cell.candidates.begin(), found, std::next(found));
    } else if (!sink.measured(choice, sink.binary_hash(choice.compile_key))) {
        cell.candidates.insert(cell.candidates.begin(), choice);
    } else {
        return;
    }
    cell.first_stays = true;
}

/// Measures what the check's database lacks.
void measure(const TableCheckOptions& options,
             const DeviceChoice& device,
             const SweepOptions& sweep,
             const Choices& choices,
             Store& check,
             const std::atomic<bool>& stop) {
    CheckSink sink(check, choices);
    SweepPlan plan = plan_sweep(sweep, sink);
    for (CellPlan& cell : plan.cells) {
        put_in_front(choices.at(cell.problem).candidate, cell, sink);
    }
    if (std::ranges::any_of(plan.cells, &CellPlan::has_work)) {
        ArtifactCache(options.machine.cache_dir).remove_leftovers();
        check.begin_run(run_record(device, sweep.policy, options.command));
        const std::unique_ptr<SweepListener> listener =
            options.json ? json_progress() : text_progress();
        std::vector<SweepLane> lanes{
            {sweep, worker_processes(device.program.command, sweep.timeouts.compile, &stop), sink}};
        const SweepOutcome outcome = run_sweep(lanes, plan, *listener, stop);
        check.end_run(sum(outcome.seconds).total());
        if (!outcome.changed.empty()) {
            throw EnvironmentError(fmt::format(
                "{} became another device: see that every worker gets the same one, then start the "
                "same command again",
                outcome.changed.front()));
        }
    }
}

/// With what was measured, in the order of the problems.
std::vector<CheckedChoice> checked(const std::vector<Problem>& problems,
                                   const Choices& choices,
                                   Store& check,
                                   const std::string& device_key,
                                   const std::string& policy) {
    const CheckSink sink(check, choices);
    std::vector<CheckedChoice> all;
    for (const Problem& problem : problems) {
        CheckedChoice& choice = all.emplace_back(choices.at(problem));
        if (auto row = sink.choice_row(problem)) {
            choice.measurement = std::move(row->measurement);
        }
        const Rows rows =
            ranked(check, device_key, policy, {.matrix = problem, .m = problem.shape.m});
        if (rows.size() > 0) {
            choice.best = table_entry(rows, 0);
        }
    }
    return all;
}

}  // namespace

ExitCode run_table_check(const TableCheckOptions& options) {
    const MachineOptions& machine = options.machine;
    const DeviceChoice device = choose_one_device(machine.devices, machine.launcher);
    const std::string& key = device.info().key;
    const Store store = Store::open_read_only(machine.db);
    const DispatchTable table = read_table(store, key, {}, options.policy);
    fmt::print(stderr, "{}", policy_note(store, key, table.policy, options.policy));
    SweepOptions sweep = machine_sweep_options(machine, device);
    sweep.policy = measuring_policy(store, table.policy);
    sweep.problems = check_problems(options.axes, table);
    sweep.race_time = options.race_time;
    sweep.confirmations = options.confirmations;
    const Choices choices = choices_of(table, store, sweep.problems, sweep);
    fmt::print(stderr, "{}", check_plan_text(sweep.problems, table));

    Store check = Store::open(options.check_db);
    check.select(device.info(), sweep.policy);
    const std::atomic<bool>& stop = stop_on_interrupt();
    measure(options, device, sweep, choices, check, stop);
    if (stop) {
        fmt::print(stderr, "Interrupted; everything measured is kept. The same command goes on.\n");
        return ExitCode::kGateFailed;
    }
    const CheckReport report(checked(sweep.problems, choices, check, key, table.policy),
                             {options.max_mean_loss, options.max_loss});
    write_output("", options.json ? to_line(report.json()) + "\n" : report.text());
    if (const std::string broken = report.broken(); !broken.empty()) {
        fmt::print(stderr, "{}", broken);
        return ExitCode::kGateFailed;
    }
    if (report.unmeasured() > 0) {
        throw EnvironmentError(
            fmt::format("{} of {} could not be measured now: the same command goes on",
                        report.unmeasured(),
                        counted(sweep.problems.size(), "problem")));
    }
    return ExitCode::kDone;
}

}  // namespace fdkbench
