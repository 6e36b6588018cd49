#pragma once

#include "tuner/problems.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fdkbench {

/// What the user typed of the problems to measure.
struct ProblemArguments {
    ProblemAxes axes;
    std::vector<std::string> types;
};

/// -m, -k, -n, --bits, --group-size, --type and --shape.
void add_axes(CLI::App& app, ProblemArguments& arguments);

/// The axes with defaults for those that were not typed. Throws UsageError.
ProblemAxes complete_axes(const ProblemArguments& arguments,
                          const std::vector<std::int64_t>& default_tokens);

}  // namespace fdkbench
