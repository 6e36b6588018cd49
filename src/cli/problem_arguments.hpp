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

/// What a command measures where an option is not typed.
struct AxisDefaults {
    std::vector<std::int64_t> m{1, 4, 16, 64, 256};
    std::vector<std::int64_t> k{4096};
    std::vector<std::string> n{"k"};
    std::vector<int> bits{16, 4, 1};
    std::vector<std::string> group_size{"64"};
    std::vector<std::string> types{"bf16"};
};

/// -m, -k, -n, --bits, --group-size, --type and --shape; help shows the defaults.
void add_axes(CLI::App& app, ProblemArguments& arguments, const AxisDefaults& defaults);

/// The axes as they were typed. Throws UsageError.
ProblemAxes typed_axes(const ProblemArguments& arguments);

/// The axes with defaults for those that were not typed. Throws UsageError.
ProblemAxes complete_axes(ProblemArguments arguments, const AxisDefaults& defaults);

}  // namespace fdkbench
