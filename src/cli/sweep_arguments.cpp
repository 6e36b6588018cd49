#include "src/cli/commands.hpp"
#include "src/cli/machine_arguments.hpp"
#include "src/cli/policy_arguments.hpp"
#include "src/cli/problem_arguments.hpp"
#include "src/cli/race_arguments.hpp"
#include "src/cli/subcommand.hpp"
#include "src/core/error.hpp"
#include "tuner/problems.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

namespace fdkbench {
namespace {

/// What the user typed for a sweep, and what becomes of it.
struct SweepArguments {
    SweepCommandOptions options;
    ProblemArguments problems;
    MachineArguments machine;
    PolicyArguments policy;
    std::string shard = "1/1";
    std::string time_limit;
    RaceArguments race;
};

void add_controls(CLI::App& app, SweepArguments& arguments) {
    SweepCommandOptions& options = arguments.options;
    add_machine(app, arguments.machine);
    app.add_option("--include", options.include, "Only families whose name matches this regex");
    app.add_option("--exclude", options.exclude, "No families whose name matches this regex");
    app.add_option(
        "--time-limit", arguments.time_limit, "Stop measuring 90s, 10m, 1h … after the start");
    app.add_option("--shard",
                   arguments.shard,
                   "Only share i/n of the cells; auto: as Slurm, Kubernetes or MPI say")
        ->capture_default_str();
    app.add_flag("--quick", options.quick, "A small sweep: few cells, few candidates");
    app.add_flag("--dry-run", options.dry_run, "Say what would be done, and do nothing");
    app.add_flag("--force", options.force, "Measure again what the database already has");
    app.add_flag("--json", options.json, "One JSON line per event on standard output");
}

/// What decides when a race ends and who wins.
void add_race(CLI::App& app, SweepArguments& arguments) {
    SweepCommandOptions& options = arguments.options;
    add_race_arguments(app, arguments.race, "; --quick: 0");
    app.add_option("--margin",
                   options.margin,
                   "A cell's former winner stays unless beaten by this share: 0.03 is 3 %")
        ->capture_default_str();
    app.add_flag(
        "--boundaries",
        options.boundaries,
        "Then measure between these m, too, where the table changes kernels: all candidates "
        "in the middle, winners beyond");
    app.add_flag("--complete",
                 options.complete,
                 "Time every candidate to the end, also those that cannot win");
}

/// Checks what decides when a race ends and who wins.
void finish_race(SweepArguments& arguments) {
    SweepCommandOptions& options = arguments.options;
    options.race_time = race_time(arguments.race);
    options.confirmations =
        confirmations(arguments.race, options.quick ? 0 : options.confirmations);
    if (!(options.margin >= 0 && options.margin <= 1)) {
        throw UsageError(fmt::format(
            "--margin {} is not possible: 0 to 1, for example 0.03 for 3 %", options.margin));
    }
}

/// Checks what was typed and fills in what was not.
SweepCommandOptions finished(SweepArguments& arguments) {
    finish_race(arguments);
    SweepCommandOptions options = arguments.options;
    options.policy = finished(arguments.policy);
    options.machine = finished(arguments.machine);
    const AxisDefaults defaults = options.quick ? AxisDefaults{.m = {1, 16}} : AxisDefaults{};
    options.problems = problems_from(complete_axes(arguments.problems, defaults));
    options.all_cells = options.problems.size();
    options.shard = shard_from(arguments.shard, environment_variable);
    if (options.shard.count > 1) {
        options.problems = cells_of(share_of(options.shard, options.all_cells), options.problems);
    }
    if (!arguments.time_limit.empty()) {
        options.deadline =
            std::chrono::steady_clock::now() + parse_duration("--time-limit", arguments.time_limit);
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
    add_axes(*app, arguments->problems, {});
    add_controls(*app, *arguments);
    add_policy(*app, arguments->policy);
    add_race(*app, *arguments);
    return {app, [arguments](const std::string& typed) -> Command {
                SweepCommandOptions options = finished(*arguments);
                options.command = typed;
                return [options] { return run_sweep_command(options); };
            }};
}

}  // namespace fdkbench
