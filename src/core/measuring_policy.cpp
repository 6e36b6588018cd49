#include "src/core/measuring_policy.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace fdkbench {

namespace {

constexpr std::string_view kDependentPart = "-dependent";

}  // namespace

std::string_view to_string(CachePolicy policy) {
    return policy == CachePolicy::kCold ? "cold" : "hot";
}

CachePolicy cache_policy_from(std::string_view word) {
    for (const auto policy : {CachePolicy::kCold, CachePolicy::kHot}) {
        if (word == to_string(policy)) {
            return policy;
        }
    }
    throw std::invalid_argument(fmt::format("unknown cache policy '{}'", word));
}

std::string_view to_string(CodebookValues values) {
    return values == CodebookValues::kUniform ? "uniform" : "uneven";
}

CodebookValues codebook_values_from(std::string_view word) {
    for (const auto values : {CodebookValues::kUniform, CodebookValues::kUneven}) {
        if (word == to_string(values)) {
            return values;
        }
    }
    throw std::invalid_argument(fmt::format("unknown codebook '{}'", word));
}

std::optional<Distribution> distribution_called(std::string_view word) {
    if (word == "normal") {
        return Distribution::kNormal;
    }
    if (word == "uniform") {
        return Distribution::kUniform;
    }
    if (word == "zeros") {
        return Distribution::kZeros;
    }
    return std::nullopt;
}

std::string MeasuringPolicy::key() const {
    const std::string cold =
        cache == CachePolicy::kCold ? fmt::format("{}", cache_bytes_factor) : "";
    return fmt::format("{}{}-{}{}-seed{}-nrmse{}{}{}-v6",
                       to_string(cache),
                       cold,
                       inputs,
                       codebook == CodebookValues::kUniform ? "" : "-uneven",
                       seed,
                       max_nrmse,
                       allow_throttling ? "-throttled" : "",
                       launch_mode == LaunchMode::kDependent ? kDependentPart : "");
}

LaunchMode launch_mode_of(std::string_view policy_key) {
    const bool dependent = policy_key.find(kDependentPart) != std::string_view::npos;
    return dependent ? LaunchMode::kDependent : LaunchMode::kPlain;
}

void require_known_inputs(const std::string& inputs, const std::string& file) {
    if (file.empty() && !distribution_called(inputs)) {
        throw UsageError(fmt::format(
            "--inputs '{}' is not known: give normal, uniform, zeros or a safetensors file",
            inputs));
    }
}

void validate(const MeasuringPolicy& policy) {
    require_known_inputs(policy.inputs, policy.inputs_file);
    if (!std::isfinite(policy.max_nrmse) || policy.max_nrmse <= 0) {
        throw UsageError(
            fmt::format("--max-nrmse {} is not possible: give a positive number, for example 4e-3",
                        policy.max_nrmse));
    }
    if (policy.cache == CachePolicy::kHot) {
        return;
    }
    if (policy.cache_bytes_factor == 0) {
        throw UsageError(
            "--cache-bytes-factor 0 is not possible: for weights in the cache type "
            "--cache-policy hot");
    }
    if (!(policy.cache_bytes_factor > 0 && policy.cache_bytes_factor <= 1000)) {
        throw UsageError(fmt::format(
            "--cache-bytes-factor {} is not possible: give more than 0, up to 1000, for example 5",
            policy.cache_bytes_factor));
    }
}

}  // namespace fdkbench
