#include "src/cli/commands.hpp"
#include "src/cli/subcommand.hpp"

#include <memory>

namespace fdkbench {

Subcommand add_devices(CLI::App& program) {
    const auto options = std::make_shared<DevicesOptions>();
    CLI::App* app = new_subcommand(program,
                                   "devices",
                                   "List the devices that can be measured",
                                   "  fdkbench devices\n  fdkbench devices --measure --json");
    app->add_flag("--measure",
                  options->measure,
                  "Measure the ceilings: streaming read, copy, launch, matmul");
    app->add_flag("--json", options->json, "Print JSON");
    return {app, [options](const std::string&) -> Command {
                return [options] { return run_devices(*options); };
            }};
}

}  // namespace fdkbench
