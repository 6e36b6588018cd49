#include "src/cli/commands.hpp"
#include "src/cli/subcommand.hpp"

#include <memory>

namespace fdkbench {

Subcommand add_merge(CLI::App& program) {
    const auto options = std::make_shared<MergeOptions>();
    CLI::App* app = new_subcommand(program,
                                   "merge",
                                   "Join databases, for instance those of a sweep's shards",
                                   "  fdkbench merge fdkbench.db shard-*.db\n"
                                   "Of two measurements of a kernel in a cell the one with more "
                                   "samples stays, then the later one.");
    app->add_option("output", options->output, "Database to add to; created when it is not there")
        ->required();
    app->add_option("inputs", options->inputs, "Databases to read")->required();
    return {app, [options](const std::string&) -> Command {
                return [options] { return run_merge(*options); };
            }};
}

}  // namespace fdkbench
