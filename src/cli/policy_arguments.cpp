#include "src/cli/policy_arguments.hpp"

#include "src/core/error.hpp"
#include "src/core/input_file.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace fdkbench {

void add_policy(CLI::App& app, PolicyArguments& arguments) {
    MeasuringPolicy& policy = arguments.policy;
    app.add_option("--cache-policy",
                   arguments.cache,
                   "Weights are 'cold' (in device memory) or 'hot' (in the cache)")
        ->capture_default_str()
        ->check(CLI::IsMember({"cold", "hot"}));
    app.add_option("--cache-bytes-factor",
                   policy.cache_bytes_factor,
                   "Cold weights rotate over this many times the device's cache, in bytes")
        ->capture_default_str();
    app.add_option(
           "--launch",
           arguments.launch,
           "Each launch is 'plain', or 'dependent': it may begin before the previous one has ended "
           "(programmatic dependent launch)")
        ->capture_default_str()
        ->check(CLI::IsMember({"plain", "dependent"}));
    CLI::Option* inputs =
        app.add_option("--inputs",
                       policy.inputs,
                       "Values of weights and activations: normal, uniform, zeros, or a "
                       "safetensors file with 'weight' and perhaps 'x'")
            ->capture_default_str();
    app.add_option("--weights",
                   arguments.weights,
                   "FILE:TENSOR: the weights are that tensor of a safetensors file, its values "
                   "taken in order and as often as it takes; activations are normal")
        ->excludes(inputs);
    app.add_option("--codebook",
                   arguments.codebook,
                   "Values that quantised weights stand for: 'uniform', or 'uneven', in which no "
                   "kernel finds anything to simplify")
        ->capture_default_str()
        ->check(CLI::IsMember({"uniform", "uneven"}));
    app.add_option("--seed", policy.seed, "Of the random weights and activations")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option(
           "--max-nrmse", policy.max_nrmse, "A kernel with a larger normalised error is rejected")
        ->capture_default_str();
    app.add_flag("--allow-throttling",
                 policy.allow_throttling,
                 "Count samples that were taken while the device held its clock down, too");
}

MeasuringPolicy finished(const PolicyArguments& arguments) {
    MeasuringPolicy policy = arguments.policy;
    policy.cache = cache_policy_from(arguments.cache);
    policy.codebook = codebook_values_from(arguments.codebook);
    policy.launch_mode = launch_mode_from(arguments.launch);
    std::error_code ignored;
    if (!arguments.weights.empty()) {
        if (input_source(arguments.weights).tensor.empty()) {
            throw UsageError(
                fmt::format("--weights '{}' is no tensor of a file that is there: write "
                            "FILE:TENSOR, for example --weights model.safetensors:mlp.up.weight",
                            arguments.weights));
        }
        policy.inputs_file = std::filesystem::absolute(arguments.weights).string();
        policy.inputs = InputFile(policy.inputs_file).name();
    } else if (!distribution_called(policy.inputs) &&
               std::filesystem::exists(policy.inputs, ignored)) {
        policy.inputs_file = std::filesystem::absolute(policy.inputs).string();
        policy.inputs = InputFile(policy.inputs_file).name();
    }
    validate(policy);
    return policy;
}

}  // namespace fdkbench
