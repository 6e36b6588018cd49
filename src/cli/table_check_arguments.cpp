#include "src/cli/commands.hpp"
#include "src/cli/machine_arguments.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/problem_arguments.hpp"
#include "src/cli/race_arguments.hpp"
#include "src/cli/subcommand.hpp"

#include <memory>

namespace fdkbench {
namespace {

constexpr double kMostPercent = 1e6;

struct TableCheckArguments {
    MachineArguments machine;
    ProblemArguments problems;
    RaceArguments race;
    std::string check_db;
    std::string policy;
    std::string max_mean_loss = "2%";
    std::string max_loss = "10%";
    bool json = false;
};

TableCheckOptions finished(const TableCheckArguments& arguments, const std::string& typed) {
    TableCheckOptions options;
    options.machine = finished(arguments.machine);
    options.axes = typed_axes(arguments.problems);
    options.check_db =
        arguments.check_db.empty() ? options.machine.db + ".check" : arguments.check_db;
    options.max_mean_loss =
        parse_percent("--max-mean-loss", arguments.max_mean_loss, kMostPercent) / 100;
    options.max_loss = parse_percent("--max-loss", arguments.max_loss, kMostPercent) / 100;
    options.policy = arguments.policy;
    options.json = arguments.json;
    options.race_time = race_time(arguments.race);
    options.confirmations = confirmations(arguments.race, SweepOptions{}.confirmations);
    options.command = typed;
    return options;
}

}  // namespace

Subcommand add_table_check(CLI::App& program) {
    const auto arguments = std::make_shared<TableCheckArguments>();
    CLI::App* app = new_subcommand(
        program,
        "table-check",
        "Measure problems that were not swept: what the table loses against the best there is",
        "  fdkbench table-check\n"
        "  fdkbench table-check -m 3 24 100 -k 4096 5120 -b 4\n"
        "Races every candidate, as a sweep does, into a database of its own. Without -m: m between "
        "those that were swept. Without -k, -n and --shape: the swept matrices, and for each "
        "format one more between them, for which the table's choice is extrapolated. Ends with "
        "exit code 1 when a limit is broken, or a choice for m <= 64 is slower than the library.");
    add_policy_choice(*app, arguments->policy);
    add_axes(*app,
             arguments->problems,
             {.m = {}, .k = {}, .n = {}, .bits = {}, .group_size = {}, .types = {}});
    app->add_option("--check-db",
                    arguments->check_db,
                    "Database for what is measured; the same command goes on there [DB.check]");
    app->add_option("--max-mean-loss", arguments->max_mean_loss, "Of the geometric mean")
        ->capture_default_str();
    app->add_option("--max-loss", arguments->max_loss, "Of the worst problem")
        ->capture_default_str();
    add_race_arguments(*app, arguments->race);
    app->add_flag("--json", arguments->json, "One JSON line per event on standard output");
    add_machine(*app, arguments->machine);
    return {app, [arguments](const std::string& typed) -> Command {
                const TableCheckOptions options = finished(*arguments, typed);
                return [options] { return run_table_check(options); };
            }};
}

}  // namespace fdkbench
