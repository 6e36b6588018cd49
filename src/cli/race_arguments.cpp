#include "src/cli/race_arguments.hpp"

#include "src/cli/machine_arguments.hpp"
#include "src/core/error.hpp"
#include "tuner/sweep.hpp"

#include <fmt/format.h>

namespace fdkbench {

void add_race_arguments(CLI::App& app, RaceArguments& arguments, const std::string& otherwise) {
    app.add_option("--race-time", arguments.race_time, "Of one cell, at most: 10s, 1m …")
        ->capture_default_str();
    app.add_option("--confirm",
                   arguments.confirmations,
                   fmt::format("Time each cell's finalists again in so many fresh processes [{}{}]",
                               SweepOptions{}.confirmations,
                               otherwise));
}

std::chrono::seconds race_time(const RaceArguments& arguments) {
    return parse_duration("--race-time", arguments.race_time);
}

int confirmations(const RaceArguments& arguments, int otherwise) {
    const int count = arguments.confirmations.value_or(otherwise);
    if (count < 0 || count > 20) {
        throw UsageError(fmt::format("--confirm {} is not possible: 0 to 20", count));
    }
    return count;
}

}  // namespace fdkbench
