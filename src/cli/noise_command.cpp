#include "results/stored_rows.hpp"
#include "results/winners.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/device_choice.hpp"
#include "src/cli/interrupt.hpp"
#include "src/cli/progress.hpp"
#include "src/core/error.hpp"
#include "tuner/noise.hpp"
#include "tuner/race.hpp"
#include "tuner/search_space.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

namespace fdkbench {
namespace {

/// The cell's winner, if the database has one that this program can build.
std::optional<Candidate> winner_of(const SweepOptions& sweep, const std::string& db) {
    std::error_code ignored;
    if (!std::filesystem::exists(db, ignored)) {
        return std::nullopt;
    }
    const Problem& problem = sweep.problems.at(0);
    const Store store = Store::open_read_only(db);
    for (const StoredRow& row : winner_rows(store, sweep.device.key, sweep.policy.key())) {
        if (row.problem == problem) {
            return rebuilt_candidate(row.family, problem, row.params, sweep);
        }
    }
    return std::nullopt;
}

/// The cell's winner if there is one, else the best guess of the first family that can.
Candidate candidate_for(const NoiseOptions& options, const SweepOptions& sweep) {
    if (const auto winner = winner_of(sweep, options.machine.db)) {
        return *winner;
    }
    const Problem& problem = sweep.problems.at(0);
    SweepOptions quick = sweep;
    quick.quick = true;
    const CellPlan cell = enumerate_candidates(problem, chosen_families(quick), quick);
    if (cell.candidates.empty()) {
        throw UsageError(
            fmt::format("no kernel family can do {} on {}", to_string(problem), sweep.device.id));
    }
    return cell.candidates.front();
}

void print(const Candidate& candidate,
           const NoiseBudget& budget,
           const NoiseEffort& effort,
           int confirmations) {
    const auto line = [](const std::string& what, double share) {
        fmt::print("  {:<42} {:>6.2f} %\n", what, 100 * share);
    };
    fmt::print(
        "{}: {} {}\n", to_string(candidate.problem), candidate.family, to_string(candidate.params));
    fmt::print(
        "standard deviation of the ratio to the baseline ({} processes × {} blocks × {} "
        "replays)\n",
        effort.processes,
        effort.blocks,
        effort.replays);
    line("between replays of one block", budget.replay);
    line("between blocks of one process, beyond that", budget.block);
    line("between processes, beyond that", budget.process);
    const int rounds = RaceLimits{}.least_rounds;
    fmt::print("smallest difference of two kernels that shows (95 %)\n");
    line(fmt::format("in one process of {} blocks (--quick)", rounds),
         budget.resolvable(1, rounds));
    if (confirmations > 0) {
        const int processes = 1 + confirmations;  // the race is the first
        line(fmt::format("in {} processes of {} blocks (sweep)", processes, rounds),
             budget.resolvable(processes, rounds));
    }
}

}  // namespace

ExitCode run_noise(const NoiseOptions& options) {
    const MachineOptions& machine = options.machine;
    const DeviceChoice device = choose_one_device(machine.devices, machine.launcher);
    SweepOptions sweep = machine_sweep_options(machine, device);
    sweep.problems = {options.problem};
    sweep.policy = options.policy;
    const std::atomic<bool>& stop = stop_on_interrupt();
    WorkerFactory factory =
        worker_processes(device.program.command, machine.timeouts.compile, &stop);
    const Candidate candidate = candidate_for(options, sweep);
    const NoiseEffort effort{.processes = options.processes};
    try {
        const NestedSamples samples =
            measure_noise(sweep, factory, candidate, effort, *only_warnings(), stop);
        print(candidate, noise_budget(samples), effort, options.confirmations);
    } catch (const Interrupted&) {
        fmt::print(stderr, "Interrupted.\n");
        return ExitCode::kGateFailed;
    }
    return ExitCode::kDone;
}

}  // namespace fdkbench
