#include "results/status_counts.hpp"
#include "results/store.hpp"
#include "results/summary.hpp"
#include "src/cli/boundary_cells.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/device_choice.hpp"
#include "src/cli/interrupt.hpp"
#include "src/cli/output.hpp"
#include "src/cli/progress.hpp"
#include "src/cli/store_sink.hpp"
#include "src/cli/summary_table.hpp"
#include "src/core/artifact_cache.hpp"
#include "src/core/counted.hpp"
#include "src/core/json.hpp"
#include "tuner/problems.hpp"
#include "tuner/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

namespace fdkbench {
namespace {

SweepOptions sweep_options(const SweepCommandOptions& options, const DeviceChoice& device) {
    SweepOptions sweep = machine_sweep_options(options.machine, device);
    sweep.problems = options.problems;
    sweep.policy = options.policy;
    sweep.include = options.include;
    sweep.exclude = options.exclude;
    sweep.quick = options.quick;
    sweep.force = options.force;
    sweep.part = options.shard.count > 1;
    sweep.deadline = options.deadline;
    sweep.race_time = options.race_time;
    sweep.confirmations = options.confirmations;
    sweep.margin = options.margin;
    sweep.complete = options.complete;
    return sweep;
}

/// "shard 2 of 3: cells 3 to 4 of 5".
std::string shard_text(const SweepCommandOptions& options) {
    const Shard& shard = options.shard;
    const Share share = share_of(shard, options.all_cells);
    const std::string cells = share.first == share.last ? "no cell"
                              : share.first + 1 == share.last
                                  ? fmt::format("cell {}", share.last)
                                  : fmt::format("cells {} to {}", share.first + 1, share.last);
    return fmt::format(
        "shard {} of {}: {} of {}", shard.index, shard.count, cells, options.all_cells);
}

void print_plan(const SweepPlan& plan, const SweepOptions& options) {
    fmt::print("device      {} ({})\n", options.device.id, options.device.name);
    fmt::print("cells       {}\n", plan.cells.size());
    fmt::print(
        "candidates  {}, {} of them already measured\n", plan.candidates, plan.already_measured);
    if (plan.unconfirmed > 0) {
        fmt::print("to confirm  {}\n", counted(plan.unconfirmed, "cell"));
    }
    fmt::print("compiles    {}\n", plan.compiles);
    fmt::print("estimate    {} s\n", plan.estimate.count());
    std::map<std::string, int> skipped;
    for (const CellPlan& cell : plan.cells) {
        for (const auto& [reason, count] : cell.skipped) {
            skipped[reason] += count;
        }
    }
    if (!skipped.empty()) {
        fmt::print("skipped points, by reason:\n");
    }
    for (const auto& [reason, count] : skipped) {
        fmt::print("  {:>6}  {}\n", count, reason);
    }
}

void print_boundaries(const SweepPlan& plan) {
    fmt::print("boundaries  {} to measure first, by what the database has now\n",
               counted(plan.cells.size(), "cell"));
}

/// "312 correct, 4 compile".
std::string counts_text(const std::map<CandidateStatus, int>& counts) {
    std::vector<std::string> parts;
    for (const auto& [status, count] : counts) {
        parts.push_back(fmt::format("{} {}", count, to_string(status)));
    }
    return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

int skipped_points(const SweepPlan& plan) {
    int points = 0;
    for (const CellPlan& cell : plan.cells) {
        for (const auto& [reason, count] : cell.skipped) {
            points += count;
        }
    }
    return points;
}

/// The database as a plan sees it.
struct PlanStore {
    PlanStore(const SweepCommandOptions& options, const SweepOptions& sweep)
        : may_write(!options.dry_run && std::filesystem::exists(options.machine.db)),
          store(may_write ? Store::open(options.machine.db)  // brings it up to date
                          : Store::open_for_planning(options.machine.db)),
          sink(store, may_write) {
        store.select(sweep.device, sweep.policy);
    }
    bool may_write;
    Store store;
    StoreSink sink;
};

SweepPlan make_plan(const SweepCommandOptions& options, const SweepOptions& sweep) {
    PlanStore known(options, sweep);
    return plan_sweep(sweep, known.sink);
}

/// What the boundaries of the table lack: only cells with work.
SweepPlan boundary_plan(const SweepCommandOptions& options, const SweepOptions& sweep) {
    PlanStore known(options, sweep);
    SweepPlan plan = plan_cells(boundary_cells(known.store, sweep), sweep, known.sink);
    std::erase_if(plan.cells,
                  [](const CellPlan& cell) { return !cell.has_work() && cell.skipped.empty(); });
    return plan;
}

/// Devices with one key, which share a table.
using Siblings = std::vector<DeviceChoice>;

std::vector<Siblings> by_key(const std::vector<DeviceChoice>& devices) {
    std::vector<Siblings> groups;
    for (const DeviceChoice& device : devices) {
        const auto group = std::ranges::find_if(groups, [&](const Siblings& other) {
            return other[0].info().key == device.info().key;
        });
        if (group == groups.end()) {
            groups.push_back({device});
        } else {
            group->push_back(device);
        }
    }
    return groups;
}

/// A device's own connection to the database, with its run.
struct DeviceStore {
    DeviceStore(const SweepCommandOptions& options, const DeviceChoice& device)
        : store(Store::open(options.machine.db)), sink(store) {
        store.begin_run(run_record(device, options.policy, options.command));
    }
    Store store;
    StoreSink sink;
};

SweepOutcome measure(const SweepCommandOptions& options,
                     const Siblings& devices,
                     const SweepPlan& plan,
                     const std::atomic<bool>& stop) {
    // An unwritable cache is an error before anything starts.
    ArtifactCache(options.machine.cache_dir).remove_leftovers();
    const std::unique_ptr<SweepListener> listener =
        options.json ? json_progress() : text_progress();
    std::vector<std::unique_ptr<DeviceStore>> stores;
    std::vector<SweepLane> lanes;
    for (const DeviceChoice& device : devices) {
        stores.push_back(std::make_unique<DeviceStore>(options, device));
        SweepOptions sweep = sweep_options(options, device);
        sweep.jobs = std::max(1, options.machine.jobs / static_cast<int>(devices.size()));
        lanes.push_back(
            {sweep,
             worker_processes(device.program.command, options.machine.timeouts.compile, &stop),
             stores.back()->sink});
    }
    SweepOutcome outcome = run_sweep(lanes, plan, *listener, stop);
    for (std::size_t i = 0; i < stores.size(); ++i) {
        stores[i]->store.end_run(outcome.seconds[i].total());
    }
    return outcome;
}

/// "12.3 s of the device", "24.9 s of 2 devices: cuda:0 12.3, cuda:1 12.6".
std::string use_text(const Siblings& devices, const std::vector<DeviceSeconds>& seconds) {
    const double total = sum(seconds).total();
    if (devices.size() == 1 || seconds.empty()) {
        return fmt::format("{:.1f} s of the device", total);
    }
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        parts.push_back(fmt::format("{} {:.1f}", devices[i].info().id, seconds[i].total()));
    }
    return fmt::format("{:.1f} s of {} devices: {}", total, devices.size(), fmt::join(parts, ", "));
}

/// Of all devices together, and of each.
Json use_json(const Siblings& devices, const std::vector<DeviceSeconds>& seconds) {
    const auto total = sum(seconds);
    Json json{{"prepare", total.prepare},
              {"check", total.check},
              {"race", total.race},
              {"energy", total.energy}};
    for (std::size_t i = 0; i < seconds.size(); ++i) {
        json["by_device"][devices[i].info().id] = seconds[i].total();
    }
    return json;
}

void print_results(const SweepCommandOptions& options,
                   const Siblings& devices,
                   const SweepPlan& plan,
                   const Store& store,
                   const SweepOutcome& outcome,
                   const std::vector<Problem>& problems) {
    const DeviceInfo& device = devices[0].info();
    const std::vector<SummaryRow> rows = summary(store, device, options.policy, problems);
    const auto counts = status_counts(store, device, options.policy, problems);
    const int skipped = skipped_points(plan);
    if (options.json) {
        Json json = summary_json(rows, options.policy.launch_mode);
        for (const auto& [status, count] : counts) {
            json["statuses"][std::string(to_string(status))] = count;
        }
        json["skipped_points"] = skipped;
        json["device_s"] = use_json(devices, outcome.seconds);
        write_output("", to_line(json) + "\n");
        return;
    }
    write_output("", summary_table(rows, options.policy.launch_mode));
    fmt::print(stderr,
               "candidates: {}; {} (--dry-run says why)\n",
               counts_text(counts),
               counted(skipped, "more point is left out", "more points are left out"));
    const auto seconds = sum(outcome.seconds);
    fmt::print(stderr,
               "measured now: {}, in {} (preparing {:.1f}, checking {:.1f}, racing {:.1f}, energy "
               "{:.1f}). Database: {}\n",
               counts_text(outcome.statuses),
               use_text(devices, outcome.seconds),
               seconds.prepare,
               seconds.check,
               seconds.race,
               seconds.energy,
               options.machine.db);
}

/// What is to be measured in a cell, to tell whether it was tried before.
using Work = std::pair<Problem, std::vector<std::string>>;

Work work_of(const CellPlan& cell) {
    Work work{cell.problem, {}};
    for (const Candidate& candidate : cell.candidates) {
        work.second.push_back(candidate.compile_key);
    }
    return work;
}

/// Measures at the boundaries of the table until it has none that is wider than a tile, but for
/// cells that cannot be measured.
void refine(const SweepCommandOptions& options,
            const Siblings& devices,
            const std::atomic<bool>& stop,
            SweepOutcome& outcome) {
    const SweepOptions sweep = sweep_options(options, devices[0]);
    std::set<Work> tried;
    std::set<std::string> unknown;
    while (outcome.complete && outcome.changed.empty() && !stop) {
        SweepPlan plan = boundary_plan(options, sweep);
        for (const CellPlan& cell : plan.cells) {
            for (const auto& [kernel, count] : cell.skipped) {
                unknown.insert(kernel);
            }
        }
        std::erase_if(plan.cells, [&](const CellPlan& cell) {
            return !cell.has_work() || !tried.insert(work_of(cell)).second;
        });
        if (plan.cells.empty()) {
            break;
        }
        fmt::print(
            stderr, "the table's boundaries: {} to measure\n", counted(plan.cells.size(), "cell"));
        add(outcome, measure(options, devices, plan, stop));
    }
    if (!unknown.empty()) {
        fmt::print(stderr,
                   "the table's boundaries stay predicted where a kernel is none of this fdkbench: "
                   "{}\n",
                   fmt::join(unknown, "; "));
    }
}

/// All that a sweep's results are about.
std::vector<Problem> result_problems(const SweepCommandOptions& options,
                                     const SweepOptions& sweep,
                                     const Store& store) {
    std::vector<Problem> problems = options.problems;
    if (options.boundaries) {
        for (const TableEntry& entry : swept_table(store, sweep).entries) {
            problems.push_back(entry.problem);
        }
        problems = in_plan_order(std::move(problems));
    }
    return problems;
}

/// The plan, the measurements and the results of devices with one key.
SweepOutcome sweep_siblings(const SweepCommandOptions& options,
                            const Siblings& devices,
                            const std::atomic<bool>& stop) {
    const SweepOptions sweep = sweep_options(options, devices[0]);
    const SweepPlan plan = make_plan(options, sweep);
    SweepCommandOptions missing = options;  // at the boundaries: only what the database lacks
    missing.force = false;
    if (options.dry_run) {
        print_plan(plan, sweep);
        if (options.boundaries) {
            print_boundaries(boundary_plan(missing, sweep_options(missing, devices[0])));
        }
        return {};
    }
    SweepOutcome outcome;
    if (plan.already_measured < plan.candidates || plan.unconfirmed > 0) {
        outcome = measure(options, devices, plan, stop);
    }
    if (options.boundaries) {
        refine(missing, devices, stop, outcome);
    }
    const Store store = Store::open(options.machine.db);
    print_results(options, devices, plan, store, outcome, result_problems(options, sweep, store));
    return outcome;
}

}  // namespace

ExitCode run_sweep_command(const SweepCommandOptions& options) {
    if (options.shard.count > 1) {
        fmt::print(stderr, "{}\n", shard_text(options));
    }
    if (options.problems.empty()) {
        fmt::print(stderr, "Nothing to do: there are more shards than cells.\n");
        return ExitCode::kDone;
    }
    const MachineOptions& machine = options.machine;
    const std::vector<DeviceChoice> devices = choose_devices(machine.devices, machine.launcher);
    const std::atomic<bool>& stop = stop_on_interrupt();
    bool complete = true;
    std::vector<std::string> left_out;
    std::vector<std::string> changed;
    for (const Siblings& siblings : by_key(devices)) {
        if (stop) {
            break;
        }
        const SweepOutcome outcome = sweep_siblings(options, siblings, stop);
        complete = complete && outcome.complete;
        left_out.insert(left_out.end(), outcome.left_out.begin(), outcome.left_out.end());
        changed.insert(changed.end(), outcome.changed.begin(), outcome.changed.end());
    }
    if (stop) {
        fmt::print(stderr, "Interrupted; everything measured is kept. The same command goes on.\n");
        return ExitCode::kGateFailed;
    }
    if (!complete) {
        fmt::print(stderr, "Out of time; everything measured is kept. The same command goes on.\n");
    }
    if (!changed.empty()) {
        throw EnvironmentError(
            fmt::format("the sweep is not complete: {} became another device; see that every "
                        "worker gets the same one, then start the same command again",
                        fmt::join(changed, ", ")));
    }
    if (!left_out.empty()) {
        throw EnvironmentError(fmt::format(
            "{} could not be measured, first {}; everything else is kept: name other cells or "
            "another --device, or free memory there, and start again: only what is missing is "
            "measured",
            counted(left_out.size(), "cell"),
            left_out.front()));
    }
    return ExitCode::kDone;
}

}  // namespace fdkbench
