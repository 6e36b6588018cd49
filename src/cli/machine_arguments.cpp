#include "src/cli/machine_arguments.hpp"

#include "src/cli/launcher.hpp"
#include "src/cli/subcommand.hpp"
#include "src/core/error.hpp"
#include "src/core/parallel.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace fdkbench {

std::optional<std::string> environment_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value != nullptr && *value != 0 ? std::optional<std::string>(value) : std::nullopt;
}

void add_cache_dir(CLI::App& app, std::string& cache_dir) {
    app.add_option("--cache-dir", cache_dir, "Compiled kernels")
        ->default_str("$XDG_CACHE_HOME/fdkbench");
}

std::string chosen_cache_dir(const std::string& typed) {
    if (!typed.empty()) {
        return typed;
    }
    if (const auto cache = environment_variable("XDG_CACHE_HOME")) {
        return *cache + "/fdkbench";
    }
    if (const auto home = environment_variable("HOME")) {
        return *home + "/.cache/fdkbench";
    }
    return ".fdkbench-cache";
}

std::chrono::seconds parse_duration(const std::string& option, const std::string& text) {
    std::size_t used = 0;
    long number = 0;
    try {
        number = std::stol(text, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    const std::string unit = text.substr(used);
    const long scale = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (used == 0 || scale == 0 || number <= 0 || number > 1'000'000) {
        throw UsageError(fmt::format("{} '{}' is not a time: write 90s, 10m or 1h", option, text));
    }
    return std::chrono::seconds(number * scale);
}

double parse_percent(const std::string& option, const std::string& text, double most) {
    std::size_t used = 0;
    double percent = 0;
    try {
        percent = std::stod(text, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    const std::string unit = text.substr(used);
    if (used == 0 || !(unit.empty() || unit == "%") || !(percent > 0 && percent <= most)) {
        throw UsageError(
            fmt::format("{} '{}' is not possible: give a share such as 5%", option, text));
    }
    return percent;
}

void add_machine(CLI::App& app, MachineArguments& arguments) {
    arguments.jobs = hardware_threads();
    app.add_option("--device",
                   arguments.devices,
                   "cuda:0 cuda:1 …, host, or all GPUs ('all')  [the first GPU, else the CPU]");
    add_launcher(app, arguments.launcher);
    app.add_option("--candidate-timeout",
                   arguments.candidate_timeout,
                   "A candidate whose check or replay takes longer is killed")
        ->capture_default_str();
    app.add_option("--compile-timeout",
                   arguments.compile_timeout,
                   "A compilation that takes longer is killed")
        ->capture_default_str();
    add_db(app, arguments.db);
    add_cache_dir(app, arguments.cache_dir);
    app.add_option("-j,--jobs", arguments.jobs, "Compile processes")->capture_default_str();
}

MachineOptions finished(const MachineArguments& arguments) {
    if (arguments.jobs < 1 || arguments.jobs > 1024) {
        throw UsageError(fmt::format("--jobs {} is not possible: 1 to 1024", arguments.jobs));
    }
    MachineOptions options;
    options.devices = arguments.devices;
    options.launcher = launcher_words(arguments.launcher);
    options.timeouts.candidate = parse_duration("--candidate-timeout", arguments.candidate_timeout);
    options.timeouts.compile = parse_duration("--compile-timeout", arguments.compile_timeout);
    options.db = arguments.db;
    options.cache_dir = chosen_cache_dir(arguments.cache_dir);
    options.jobs = arguments.jobs;
    return options;
}

}  // namespace fdkbench
