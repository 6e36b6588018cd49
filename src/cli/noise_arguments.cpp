#include "src/cli/commands.hpp"
#include "src/cli/machine_arguments.hpp"
#include "src/cli/policy_arguments.hpp"
#include "src/cli/problem_arguments.hpp"
#include "src/cli/race_arguments.hpp"
#include "src/cli/subcommand.hpp"
#include "src/core/error.hpp"
#include "tuner/sweep.hpp"

#include <fmt/format.h>

#include <memory>

namespace fdkbench {
namespace {

struct NoiseArguments {
    ProblemArguments problem;
    MachineArguments machine;
    PolicyArguments policy;
    RaceArguments race;
    int processes = 5;
};

AxisDefaults one_cell() {
    return {.m = {1}, .bits = {4}};
}

NoiseOptions finished(const NoiseArguments& arguments) {
    NoiseOptions options;
    options.machine = finished(arguments.machine);
    options.policy = finished(arguments.policy);
    const std::vector<Problem> problems =
        problems_from(complete_axes(arguments.problem, one_cell()));
    if (problems.size() != 1) {
        throw UsageError(fmt::format(
            "noise looks at one cell, and {} are named: give one -m, -k, -n, -b, -g and -t",
            problems.size()));
    }
    options.problem = problems[0];
    if (arguments.processes < 2 || arguments.processes > 100) {
        throw UsageError(
            fmt::format("--processes {} is not possible: 2 to 100", arguments.processes));
    }
    options.processes = arguments.processes;
    options.confirmations = confirmations(arguments.race, SweepOptions{}.confirmations);
    return options;
}

}  // namespace

Subcommand add_noise(CLI::App& program) {
    const auto arguments = std::make_shared<NoiseArguments>();
    CLI::App* app = new_subcommand(
        program,
        "noise",
        "How far samples of one kernel differ on this machine, and which differences show",
        "  fdkbench noise -m 1 -k 4096 -b 4\n"
        "  fdkbench noise -m 16 -k 8192 -b 2 --processes 10\n"
        "Times the cell's winner under this policy, or a first guess where the database has none.");
    add_axes(*app, arguments->problem, one_cell());
    add_policy(*app, arguments->policy);
    app->add_option("--processes", arguments->processes, "Fresh worker processes")
        ->capture_default_str();
    app->add_option("--confirm",
                    arguments->race.confirmations,
                    fmt::format("Say what a sweep with this --confirm resolves [{}]",
                                SweepOptions{}.confirmations));
    add_machine(*app, arguments->machine);
    return {app, [arguments](const std::string&) -> Command {
                const NoiseOptions options = finished(*arguments);
                return [options] { return run_noise(options); };
            }};
}

}  // namespace fdkbench
