#pragma once

#include "src/core/measuring_policy.hpp"
#include "src/core/problem.hpp"
#include "src/core/uninitialised.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace fdkbench {

/// Where the values of weights and activations come from; equal keys give equal values.
struct InputsKey {
    explicit InputsKey(const MeasuringPolicy& policy)
        : inputs(policy.inputs),
          file(policy.inputs_file),
          codebook(policy.codebook),
          seed(policy.seed) {}
    std::string inputs;  ///< MeasuringPolicy::inputs
    std::string file;
    CodebookValues codebook = CodebookValues::kUniform;  ///< of quantised weights
    std::uint64_t seed = 0;
    auto operator<=>(const InputsKey&) const = default;
};

enum class InputRole { kActivations, kWeights };

/// How many values are wanted, in which type; the standard deviation of drawn ones.
struct InputsWanted {
    InputRole role = InputRole::kWeights;
    std::size_t count = 0;
    ElementType type = ElementType::kBf16;
    float scale = 1;
};

/// The values. From a file: those of its tensor `weight` (or `x`) from the first on, as often as it
/// takes; activations are normal where it has no `x`. Throws UsageError for inputs that are not
/// known, for a file that is not a safetensors file, lacks `weight`, or is not the one the key
/// names.
Uninitialised<std::uint16_t> input_values(const InputsKey& key,
                                          const InputsWanted& wanted,
                                          int threads);

}  // namespace fdkbench
