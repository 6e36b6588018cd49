#include "src/cli/commands.hpp"
#include "src/cli/launcher.hpp"
#include "src/cli/subcommand.hpp"

#include <memory>

namespace fdkbench {

Subcommand add_devices(CLI::App& program) {
    const auto options = std::make_shared<DevicesOptions>();
    const auto launcher = std::make_shared<std::string>();
    CLI::App* app = new_subcommand(program,
                                   "devices",
                                   "List the devices that can be measured",
                                   "  fdkbench devices\n  fdkbench devices --measure --json");
    app->add_flag("--measure",
                  options->measure,
                  "Measure the ceilings: streaming read, copy, launch, matmul");
    app->add_flag("--json", options->json, "Print JSON");
    add_launcher(*app, *launcher);
    return {app, [options, launcher](const std::string&) -> Command {
                options->launcher = launcher_words(*launcher);
                return [options] { return run_devices(*options); };
            }};
}

}  // namespace fdkbench
