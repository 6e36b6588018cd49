#include "src/cli/subcommand.hpp"

namespace fdkbench {

CLI::App* new_subcommand(CLI::App& program,
                         const std::string& name,
                         const std::string& what,
                         const std::string& examples) {
    CLI::App* app = program.add_subcommand(name, what);
    app->footer("Examples:\n" + examples);
    return app;
}

void add_launcher(CLI::App& app, std::string& prefix) {
    app.add_option(
        "--launcher", prefix, "Words before each device worker: \"srun -G1\", \"ssh box\"");
}

void add_db(CLI::App& app, std::string& db) {
    db = "fdkbench.db";
    app.add_option("--db", db, "Database of measurements")->capture_default_str();
}

}  // namespace fdkbench
