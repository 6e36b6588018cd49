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

/// What a command measures where -m and --bits are not typed.
struct AxisDefaults {
    std::vector<std::int64_t> m{1, 4, 16, 64, 256};
    std::vector<int> bits{16, 4, 1};
};

/// -m, -k, -n, --bits, --group-size, --type and --shape; help shows the defaults.
void add_axes(CLI::App& app, ProblemArguments& arguments, const AxisDefaults& defaults);

/// The axes with defaults for those that were not typed. Throws UsageError.
ProblemAxes complete_axes(const ProblemArguments& arguments, const AxisDefaults& defaults);

}  // namespace fdkbench
