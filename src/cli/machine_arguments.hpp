#pragma once

#include "src/cli/options.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// An environment variable that is set and not empty.
std::optional<std::string> environment_variable(const std::string& name);

/// "90", "90s", "10m", "1h"; throws UsageError naming the option.
std::chrono::seconds parse_duration(const std::string& option, const std::string& text);

/// "5%" or "5": above 0, at most `most`; throws UsageError naming the option.
double parse_percent(const std::string& option, const std::string& text, double most);

/// --cache-dir.
void add_cache_dir(CLI::App& app, std::string& cache_dir);
/// The folder that was typed, else the usual one.
std::string chosen_cache_dir(const std::string& typed);

/// What the user typed of MachineOptions.
struct MachineArguments {
    std::vector<std::string> devices;
    std::string launcher;
    std::string candidate_timeout = "30s";
    std::string compile_timeout = "5m";
    std::string db;
    std::string cache_dir;
    int jobs = 1;
};

/// --device, --launcher, --candidate-timeout, --compile-timeout, --db, --cache-dir, --jobs.
void add_machine(CLI::App& app, MachineArguments& arguments);

/// Checks what was typed and fills in what was not. Throws UsageError.
MachineOptions finished(const MachineArguments& arguments);

}  // namespace fdkbench
