#pragma once

#include "src/core/measuring_policy.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace fdkbench {

/// What the user typed of the measuring policy.
struct PolicyArguments {
    MeasuringPolicy policy;
    std::string cache = "cold";
    std::string launch = "plain";
    std::string codebook = "uniform";
    std::string weights;  // FILE:TENSOR
};

/// --cache-policy, --cache-bytes-factor, --launch, --inputs, --weights, --codebook, --seed,
/// --max-nrmse and --allow-throttling.
void add_policy(CLI::App& app, PolicyArguments& arguments);

/// The policy as it enters keys: a file of inputs by what it holds. Throws UsageError.
MeasuringPolicy finished(const PolicyArguments& arguments);

}  // namespace fdkbench
