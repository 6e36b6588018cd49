#include "src/cli/commands.hpp"
#include "src/cli/machine_arguments.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/subcommand.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <memory>

namespace fdkbench {
namespace {

struct VerifyArguments {
    MachineArguments machine;
    std::string sample = "100%";
    std::string ledger;
    std::string policy;
};

}  // namespace

Subcommand add_verify(CLI::App& program) {
    const auto arguments = std::make_shared<VerifyArguments>();
    CLI::App* app =
        new_subcommand(program,
                       "verify",
                       "Measure again what tables are made of: what drifted, what is wrong now",
                       "  fdkbench verify --sample 5%\n"
                       "  fdkbench verify --ledger ledger.json\n"
                       "Measures the winners, and what a table takes in their place where it keeps "
                       "a matrix to one "
                       "layout. What does not hold at once is measured in two more processes. Ends "
                       "with exit code 1 "
                       "when a kernel has drifted or is wrong, with 3 when one could not be "
                       "measured well enough.");
    app->add_option("--sample", arguments->sample, "This share of them, drawn at random")
        ->capture_default_str();
    app->add_option(
        "--ledger",
        arguments->ledger,
        "Write the kernels that this device confirmed, by their machine code, to a file");
    add_policy_choice(*app, arguments->policy);
    add_machine(*app, arguments->machine);
    return {app, [arguments](const std::string&) -> Command {
                VerifyOptions options;
                options.machine = finished(arguments->machine);
                options.sample_pct = parse_percent("--sample", arguments->sample, 100);
                options.ledger = arguments->ledger;
                options.policy = arguments->policy;
                if (!options.ledger.empty() && options.sample_pct < 100) {
                    throw UsageError("--ledger lists all of them: leave --sample out");
                }
                return [options] { return run_verify(options); };
            }};
}

}  // namespace fdkbench
