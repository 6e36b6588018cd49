#include "src/cli/commands.hpp"
#include "src/cli/machine_arguments.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/subcommand.hpp"
#include "src/cli/table_rules.hpp"
#include "tuner/problems.hpp"

#include <memory>

namespace fdkbench {

Subcommand add_export(CLI::App& program) {
    const auto options = std::make_shared<ExportOptions>();
    const auto rules = std::make_shared<TableRulesArguments>();
    const auto matrices = std::make_shared<std::vector<std::string>>();
    CLI::App* app =
        new_subcommand(program,
                       "export-table",
                       "Write the best kernel of every cell as a table",
                       "  fdkbench export-table -o table.json\n"
                       "  fdkbench export-table --format header -o fdkbench_table.hpp\n"
                       "  fdkbench export-table --bundle h100.fdk\n"
                       "  fdkbench export-table --max-kernels 2 --weights 1:100,16:10 -o few.json\n"
                       "  fdkbench export-table --extrapolate 5120x5120 13824x5120 -o more.json\n"
                       "What a rule costs is said on standard error.");
    options->format = "json";
    CLI::Option* format =
        app->add_option("--format", options->format, "json, header (C++17) or csv")
            ->capture_default_str()
            ->check(CLI::IsMember({"json", "header", "csv"}));
    CLI::Option* output = app->add_option("-o,--output", options->output, "File [standard output]");
    app->add_option("--bundle",
                    options->bundle,
                    "File for the table and its compiled kernels, which the library loads")
        ->check(CLI::Validator(
            [](std::string& file) { return file.empty() ? "no file is named" : ""; }, ""))
        ->excludes(format)
        ->excludes(output);
    add_cache_dir(*app, options->cache_dir);
    app->add_option(
        "--device", options->device, "Whose table, if the database has several devices");
    add_policy_choice(*app, options->policy);
    app->add_option("--extrapolate",
                    *matrices,
                    "Also matrices NxK that were not swept, as a cost model fitted to the others "
                    "predicts");
    add_table_rules(*app, *rules);
    add_db(*app, options->db);
    return {app, [options, rules, matrices](const std::string&) -> Command {
                for (const std::string& matrix : *matrices) {
                    options->extrapolate.push_back(matrix_from("--extrapolate", matrix));
                }
                options->rules = finished(*rules);
                options->cache_dir = chosen_cache_dir(options->cache_dir);
                return [options] { return run_export(*options); };
            }};
}

Subcommand add_query(CLI::App& program) {
    const auto options = std::make_shared<QueryOptions>();
    CLI::App* app = new_subcommand(
        program,
        "query",
        "Print the best per cell, or the result of a read-only SQL statement",
        "  fdkbench query\n"
        "  fdkbench query --format csv \"SELECT * FROM candidates_flat WHERE m = 1\"\n"
        "  fdkbench query \"SELECT bits, max(ratio) FROM best GROUP BY bits\"");
    app->add_option("sql",
                    options->sql,
                    "One statement over the views best and "
                    "candidates_flat, or the tables");
    options->format = "table";
    app->add_option("--format", options->format, "table, csv or json")
        ->capture_default_str()
        ->check(CLI::IsMember({"table", "csv", "json"}));
    add_db(*app, options->db);
    return {app, [options](const std::string&) -> Command {
                return [options] { return run_query(*options); };
            }};
}

}  // namespace fdkbench
