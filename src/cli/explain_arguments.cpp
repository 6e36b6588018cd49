#include "src/cli/commands.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/problem_arguments.hpp"
#include "src/cli/subcommand.hpp"
#include "src/cli/table_rules.hpp"

#include <memory>

namespace fdkbench {
namespace {

struct ExplainArguments {
    std::int64_t m = 0;
    std::string n;
    std::int64_t k = 0;
    int bits = 0;
    std::string group_size = "64";
    std::string type = "bf16";
    std::string device;
    std::string policy;
    std::string db;
    TableRulesArguments rules;
};

ExplainOptions finished(const ExplainArguments& arguments) {
    ProblemArguments typed;
    typed.axes.m = {arguments.m};
    typed.axes.n = {arguments.n};
    typed.axes.k = {arguments.k};
    typed.axes.bits = {arguments.bits};
    typed.axes.group_size = {arguments.group_size};
    typed.types = {arguments.type};
    ExplainOptions options;
    options.problem = problems_from(complete_axes(typed, {})).front();
    options.device = arguments.device;
    options.policy = arguments.policy;
    options.rules = finished(arguments.rules);
    options.db = arguments.db;
    return options;
}

}  // namespace

Subcommand add_explain(CLI::App& program) {
    const auto arguments = std::make_shared<ExplainArguments>();
    CLI::App* app =
        new_subcommand(program,
                       "explain",
                       "Which kernel the table has for one m of one matrix, and why",
                       "  fdkbench explain -m 16 -n 4096 -k 4096 -b 4\n"
                       "  fdkbench explain -m 5 -n 8192 -k 8192 -b 2 -g 128 --batch-invariant\n"
                       "It is about the table that export-table writes with the same --db, "
                       "--device, --policy and rules.");
    app->add_option("-m", arguments->m, "Batch size (tokens); need not have been swept")
        ->required();
    app->add_option("-n", arguments->n, "Output features: a number, or 'k' for n = k")->required();
    app->add_option("-k", arguments->k, "Reduction size")->required();
    app->add_option("-b,--bits", arguments->bits, "Weight bits: 16, 8, 4, 2 or 1")->required();
    app->add_option("-g,--group-size",
                    arguments->group_size,
                    "Weights that share a scale: a number, or 'k' for one scale a row")
        ->capture_default_str();
    app->add_option("-t,--type", arguments->type, "Type of activations and scales: bf16, fp16")
        ->capture_default_str();
    app->add_option(
        "--device", arguments->device, "Whose table, if the database has several devices");
    add_policy_choice(*app, arguments->policy);
    add_table_rules(*app, arguments->rules);
    add_db(*app, arguments->db);
    return {app, [arguments](const std::string&) -> Command {
                const ExplainOptions options = finished(*arguments);
                return [options] { return run_explain(options); };
            }};
}

}  // namespace fdkbench
