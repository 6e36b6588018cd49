#include "results/status_counts.hpp"
#include "results/store.hpp"
#include "results/summary.hpp"
#include "src/cli/build_info.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/device_choice.hpp"
#include "src/cli/interrupt.hpp"
#include "src/cli/output.hpp"
#include "src/cli/progress.hpp"
#include "src/cli/summary_table.hpp"
#include "src/core/artifact_cache.hpp"
#include "src/core/json.hpp"
#include "src/core/nvidia_driver.hpp"
#include "tuner/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace fdkbench {
namespace {

/// The database, as the tuner sees it.
class StoreSink : public MeasurementSink {
  public:
    explicit StoreSink(Store& store) : store_(store) {}
    std::optional<std::string> binary_hash(const std::string& compile_key) override {
        return store_.binary_hash(compile_key);
    }
    void remember_binary(const std::string& compile_key, const std::string& hash) override {
        store_.remember_binary(compile_key, hash);
    }
    bool measured(const Candidate& candidate,
                  const std::optional<std::string>& binary_hash) override {
        return store_.measured(candidate, binary_hash);
    }
    void record(const Candidate& candidate,
                const std::optional<std::string>& binary_hash,
                const Measurement& measurement) override {
        store_.add(candidate, binary_hash, measurement);
    }

  private:
    Store& store_;
};

SweepOptions sweep_options(const SweepCommandOptions& options, const DeviceChoice& device) {
    SweepOptions sweep;
    sweep.problems = options.problems;
    sweep.device = device.info();
    sweep.device_index = device.index;
    sweep.compiler = device.program.hello.compiler;
    sweep.policy = options.policy;
    sweep.include = options.include;
    sweep.exclude = options.exclude;
    sweep.quick = options.quick;
    sweep.force = options.force;
    sweep.part = options.shard.count > 1;
    sweep.jobs = options.jobs;
    sweep.cache_dir = options.cache_dir;
    sweep.time_limit = options.time_limit;
    return sweep;
}

RunRecord run_record(const SweepCommandOptions& options, const DeviceChoice& device) {
    RunRecord run;
    run.device = device.info();
    run.policy = options.policy;
    run.compiler = device.program.hello.compiler;
    run.driver = run.device.backend == "cuda" ? nvidia_driver_version() : "";
    run.commit = kCommit;
    run.command = options.command;
    return run;
}

/// "shard 2 of 3: cells 3 to 4 of 5".
std::string shard_text(const SweepCommandOptions& options) {
    const Shard& shard = options.shard;
    const Share share = share_of(shard, options.all_cells);
    const std::string cells = share.first == share.last
                                  ? "no cell"
                                  : fmt::format("cells {} to {}", share.first + 1, share.last);
    return fmt::format(
        "shard {} of {}: {} of {}", shard.index, shard.count, cells, options.all_cells);
}

void print_plan(const SweepPlan& plan, const SweepOptions& options) {
    fmt::print("device      {} ({})\n", options.device.id, options.device.name);
    fmt::print("cells       {}\n", plan.cells.size());
    fmt::print(
        "candidates  {}, {} of them already measured\n", plan.candidates, plan.already_measured);
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

SweepPlan make_plan(const SweepCommandOptions& options, const SweepOptions& sweep) {
    Store store = Store::open_for_planning(options.db);
    store.select(sweep.device, sweep.policy);
    StoreSink sink(store);
    return plan_sweep(sweep, sink);
}

SweepOutcome measure(const SweepCommandOptions& options,
                     const DeviceChoice& device,
                     const SweepPlan& plan,
                     Store& store,
                     const std::atomic<bool>& stop) {
    const SweepOptions sweep = sweep_options(options, device);
    // An unwritable cache is an error before anything starts.
    const ArtifactCache cache(options.cache_dir);
    const std::unique_ptr<SweepListener> listener =
        options.json ? json_progress() : text_progress();
    WorkerFactory factory =
        worker_processes(device.program.command, sweep.candidate_timeout, &stop);
    StoreSink sink(store);
    store.begin_run(run_record(options, device));
    SweepOutcome outcome = run_sweep(sweep, plan, factory, sink, *listener, stop);
    store.end_run();
    return outcome;
}

void print_results(const SweepCommandOptions& options,
                   const DeviceInfo& device,
                   const SweepPlan& plan,
                   const Store& store,
                   const SweepOutcome& outcome) {
    const std::vector<SummaryRow> rows = summary(store, device, options.policy, options.problems);
    const auto counts = status_counts(store, device, options.policy, options.problems);
    const int skipped = skipped_points(plan);
    if (options.json) {
        Json json = summary_json(rows);
        for (const auto& [status, count] : counts) {
            json["statuses"][std::string(to_string(status))] = count;
        }
        json["skipped_points"] = skipped;
        write_output("", to_line(json) + "\n");
        return;
    }
    write_output("", summary_table(rows));
    fmt::print(stderr,
               "candidates: {}; {} more points break a constraint (--dry-run says which)\n",
               counts_text(counts),
               skipped);
    fmt::print(
        stderr, "measured now: {}. Database: {}\n", counts_text(outcome.statuses), options.db);
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
    const DeviceChoice device = choose_device(options.device, options.launcher);
    const SweepOptions sweep = sweep_options(options, device);
    const SweepPlan plan = make_plan(options, sweep);
    if (options.dry_run) {
        print_plan(plan, sweep);
        return ExitCode::kDone;
    }
    const std::atomic<bool>& stop = stop_on_interrupt();
    Store store = Store::open(options.db);
    SweepOutcome outcome;
    if (plan.already_measured < plan.candidates) {
        outcome = measure(options, device, plan, store, stop);
    }
    print_results(options, device.info(), plan, store, outcome);
    if (stop) {
        fmt::print(stderr, "Interrupted; everything measured is kept. The same command goes on.\n");
        return ExitCode::kGateFailed;
    }
    if (!outcome.complete) {
        fmt::print(stderr, "Out of time; everything measured is kept. The same command goes on.\n");
    }
    if (!outcome.left_out.empty()) {
        throw EnvironmentError(fmt::format("{} cells could not be measured, first {}",
                                           outcome.left_out.size(),
                                           outcome.left_out.front()));
    }
    return ExitCode::kDone;
}

}  // namespace fdkbench
