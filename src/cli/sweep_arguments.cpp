#include "src/cli/commands.hpp"
#include "src/cli/machine_arguments.hpp"
#include "src/cli/problem_arguments.hpp"
#include "src/cli/subcommand.hpp"
#include "src/core/error.hpp"
#include "src/core/input_file.hpp"
#include "tuner/problems.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

namespace fdkbench {
namespace {

/// What the user typed for a sweep, and what becomes of it.
struct SweepArguments {
    SweepCommandOptions options;
    ProblemArguments problems;
    MachineArguments machine;
    std::string shard = "1/1";
    std::string time_limit;
    std::string race_time = "10s";
    std::string cache_policy = "cold";
    std::optional<int> confirmations;
};

void add_controls(CLI::App& app, SweepArguments& arguments) {
    SweepCommandOptions& options = arguments.options;
    add_machine(app, arguments.machine);
    app.add_option("--include", options.include, "Only families whose name matches this regex");
    app.add_option("--exclude", options.exclude, "No families whose name matches this regex");
    app.add_option("--time-limit", arguments.time_limit, "Stop measuring after 90s, 10m, 1h …");
    app.add_option("--shard",
                   arguments.shard,
                   "Only share i/n of the cells; auto: as Slurm, Kubernetes or MPI say")
        ->capture_default_str();
    app.add_flag("--quick", options.quick, "A small sweep: few cells, few candidates");
    app.add_flag("--dry-run", options.dry_run, "Say what would be done, and do nothing");
    app.add_flag("--force", options.force, "Measure again what the database already has");
    app.add_flag("--json", options.json, "One JSON line per event on standard output");
}

/// What decides how a number is obtained.
void add_measuring(CLI::App& app, SweepArguments& arguments) {
    SweepCommandOptions& options = arguments.options;
    MeasuringPolicy& policy = options.policy;
    app.add_option("--cache-policy",
                   arguments.cache_policy,
                   "Weights are 'cold' (in device memory) or 'hot' (in the cache)")
        ->capture_default_str()
        ->check(CLI::IsMember({"cold", "hot"}));
    app.add_option("--cache-bytes-factor",
                   policy.cache_bytes_factor,
                   "Cold weights rotate over this many times the device's cache, in bytes")
        ->capture_default_str();
    app.add_option("--inputs",
                   policy.inputs,
                   "Values of weights and activations: normal, uniform, zeros, or a safetensors "
                   "file with 'weight' and perhaps 'x'")
        ->capture_default_str();
    app.add_option("--seed", policy.seed, "Of the random weights and activations")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option(
           "--max-nrmse", policy.max_nrmse, "A kernel with a larger normalised error is rejected")
        ->capture_default_str();
    app.add_flag("--allow-throttling",
                 policy.allow_throttling,
                 "Count samples that were taken while the device held its clock down, too");
    app.add_option("--race-time", arguments.race_time, "Of one cell, at most: 10s, 1m …")
        ->capture_default_str();
    app.add_option("--confirm",
                   arguments.confirmations,
                   "Time each cell's finalists again in so many fresh processes [3; --quick: 0]");
    app.add_option("--margin",
                   options.margin,
                   "A cell's former winner stays unless beaten by this share: 0.03 is 3 %")
        ->capture_default_str();
    app.add_flag("--complete",
                 options.complete,
                 "Time every candidate to the end, also those that cannot win");
}

void check_policy(const MeasuringPolicy& policy) {
    if (!std::isfinite(policy.max_nrmse) || policy.max_nrmse <= 0) {
        throw UsageError(
            fmt::format("--max-nrmse {} is not possible: give a positive number, for "
                        "example 4e-3",
                        policy.max_nrmse));
    }
    if (!(policy.cache_bytes_factor >= 0 && policy.cache_bytes_factor <= 1000)) {
        throw UsageError(
            fmt::format("--cache-bytes-factor {} is not possible: give 0 to 1000, for example 5",
                        policy.cache_bytes_factor));
    }
}

/// The policy as it enters keys: a file by what it holds.
void finish_policy(SweepArguments& arguments) {
    MeasuringPolicy& policy = arguments.options.policy;
    check_policy(policy);
    policy.cache = cache_policy_from(arguments.cache_policy);
    if (policy.inputs != "normal" && policy.inputs != "uniform" && policy.inputs != "zeros") {
        std::error_code ignored;
        if (!std::filesystem::exists(policy.inputs, ignored)) {
            throw UsageError(fmt::format(
                "--inputs '{}' is not known: give normal, uniform, zeros or a safetensors file",
                policy.inputs));
        }
        policy.inputs_file = std::filesystem::absolute(policy.inputs).string();
        policy.inputs = InputFile(policy.inputs_file).name();
    }
}

/// Checks what decides when a race ends and who wins.
void finish_race(SweepArguments& arguments) {
    SweepCommandOptions& options = arguments.options;
    options.race_time = parse_duration("--race-time", arguments.race_time);
    options.confirmations = arguments.confirmations.value_or(options.quick ? 0 : 3);
    if (options.confirmations < 0 || options.confirmations > 20) {
        throw UsageError(
            fmt::format("--confirm {} is not possible: 0 to 20", options.confirmations));
    }
    if (!(options.margin >= 0 && options.margin <= 1)) {
        throw UsageError(fmt::format(
            "--margin {} is not possible: 0 to 1, for example 0.03 for 3 %", options.margin));
    }
}

/// Checks what was typed and fills in what was not.
SweepCommandOptions finished(SweepArguments& arguments) {
    finish_policy(arguments);
    finish_race(arguments);
    SweepCommandOptions options = arguments.options;
    options.machine = finished(arguments.machine);
    const std::vector<std::int64_t> default_tokens =
        options.quick ? std::vector<std::int64_t>{1, 16}
                      : std::vector<std::int64_t>{1, 4, 16, 64, 256};
    options.problems = problems_from(complete_axes(arguments.problems, default_tokens));
    options.all_cells = options.problems.size();
    options.shard = shard_from(arguments.shard, environment_variable);
    if (options.shard.count > 1) {
        options.problems = cells_of(share_of(options.shard, options.all_cells), options.problems);
    }
    if (!arguments.time_limit.empty()) {
        options.time_limit = parse_duration("--time-limit", arguments.time_limit);
    }
    return options;
}

}  // namespace

Subcommand add_sweep(CLI::App& program) {
    const auto arguments = std::make_shared<SweepArguments>();
    CLI::App* app =
        new_subcommand(program,
                       "sweep",
                       "Compile, check and time every candidate; keep all of it in a database",
                       "  fdkbench sweep --quick\n"
                       "  fdkbench sweep -b 16 8 4 2 1 -k 8192 6144\n"
                       "  fdkbench sweep --shape 1x14336x4096 16x4096x14336 -b 4 -g 128\n"
                       "  fdkbench sweep -b 4 -m 1 --include lut --dry-run\n"
                       "What the database already has is not measured again.");
    add_axes(*app, arguments->problems);
    add_controls(*app, *arguments);
    add_measuring(*app, *arguments);
    return {app, [arguments](const std::string& typed) -> Command {
                SweepCommandOptions options = finished(*arguments);
                options.command = typed;
                return [options] { return run_sweep_command(options); };
            }};
}

}  // namespace fdkbench
