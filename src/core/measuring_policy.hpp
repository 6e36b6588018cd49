#pragma once

#include "src/core/launch_plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fdkbench {

/// Where the weights and scales are when a kernel starts. x and the codebook are always hot.
enum class CachePolicy {
    kCold,  ///< in device memory: launches rotate over more copies than the cache holds
    kHot,   ///< in the cache, as far as one copy fits
};

/// "cold" or "hot".
std::string_view to_string(CachePolicy policy);
/// Inverse of to_string; throws std::invalid_argument.
CachePolicy cache_policy_from(std::string_view word);

/// How values of weights and activations are drawn.
enum class Distribution { kNormal, kUniform, kZeros };

/// "normal", "uniform" or "zeros"; nothing for other words.
std::optional<Distribution> distribution_called(std::string_view word);

/// The values that quantised weights stand for. Kernels may do better with some than with others.
enum class CodebookValues {
    kUniform,  ///< uniform_codebook()
    kUneven,   ///< uneven_codebook(): without steps or symmetry to make use of
};

/// "uniform" or "uneven".
std::string_view to_string(CodebookValues values);
/// Inverse of to_string; throws std::invalid_argument.
CodebookValues codebook_values_from(std::string_view word);

/// Everything that decides what a number means. Two rows with different keys are never mixed.
struct MeasuringPolicy {
    CachePolicy cache = CachePolicy::kCold;
    /// When cold, weights and scales rotate over copies of at least this many times the device's
    /// cache, in bytes, the same budget for every bit width and for the baseline. Above 0.
    double cache_bytes_factor = 5;
    /// Where weights and activations come from: "normal", "uniform", "zeros", or "file:" and the
    /// start of the file's SHA-256 (inputs_file).
    std::string inputs = "normal";
    std::string inputs_file = {};  ///< path; empty unless `inputs` says so
    CodebookValues codebook = CodebookValues::kUniform;
    std::uint64_t seed = 1;
    double max_nrmse = 4e-3;  ///< gate: a candidate above it is `correctness`, and is not timed
    /// Count blocks in which the device was throttled or changed its clock, too.
    bool allow_throttling = false;
    LaunchMode launch_mode = LaunchMode::kPlain;  ///< of candidates; the baseline's is kPlain

    /// Stable text for the database, for example "cold5-normal-seed1-nrmse0.004-v6". The version
    /// at its end rises when the method of timing changes.
    [[nodiscard]] std::string key() const;
};

/// The launch mode in a policy's key.
LaunchMode launch_mode_of(std::string_view policy_key);

/// Throws UsageError for inputs that are neither drawn nor from a file (its path, or "").
void require_known_inputs(const std::string& inputs, const std::string& file);

/// Throws UsageError, naming the option, when nothing can be measured under this policy.
void validate(const MeasuringPolicy& policy);

}  // namespace fdkbench
