#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace fdkbench {

/// What the user typed of how long kernels are timed.
struct RaceArguments {
    std::string race_time = "5s";
    std::optional<int> confirmations;
};

/// --race-time and --confirm; help shows what `otherwise` says of its default.
void add_race_arguments(CLI::App& app, RaceArguments& arguments, const std::string& otherwise = "");

/// SweepOptions::race_time. Throws UsageError.
std::chrono::seconds race_time(const RaceArguments& arguments);

/// SweepOptions::confirmations; `otherwise` where none were typed. Throws UsageError.
int confirmations(const RaceArguments& arguments, int otherwise);

}  // namespace fdkbench
