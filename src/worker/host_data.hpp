#pragma once

#include "src/core/problem.hpp"
#include "src/core/quantise.hpp"
#include "src/core/uninitialised.hpp"
#include "src/worker/inputs.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fdkbench {

/// Everything that decides the values of a weight matrix [n,k].
struct WeightsKey {
    std::int64_t n = 0;
    std::int64_t k = 0;
    WeightFormat format;
    ElementType type = ElementType::kBf16;
    InputsKey inputs;
    auto operator<=>(const WeightsKey&) const = default;

    WeightsKey(const Problem& problem, const InputsKey& inputs);
    /// The 16-bit weights that these are quantised from.
    [[nodiscard]] WeightsKey plain() const;
};

/// 16-bit weights [n,k] and the same as fp32.
struct PlainWeights {
    Uninitialised<std::uint16_t> data;
    Uninitialised<float> values;
};

/// Quantised weights in the canonical layout and, as fp32 [n,k], what they stand for.
struct QuantisedWeights {
    QuantisedMatrix matrix;
    Uninitialised<float> values;
};

/// A problem's inputs in host memory: x [m,k] with deviation 1, weights [n,k] with deviation 1/√k
/// (or as a file has them), rounded to the element type, the weights quantised with the
/// policy's codebook. The first rows of x are the same for every m.
class HostData {
  public:
    /// Makes the data; weights that are the same as last time are kept. Throws EnvironmentError
    /// naming the bytes needed and free when they do not fit into memory.
    void prepare(const Problem& problem, const InputsKey& inputs);

    [[nodiscard]] std::span<const std::uint16_t> x() const { return x_; }
    [[nodiscard]] std::span<const float> x_values() const { return x_values_; }
    [[nodiscard]] const PlainWeights& plain() const { return plain_; }
    /// Empty when the problem's weights are plain.
    [[nodiscard]] const QuantisedWeights& quantised() const { return quantised_; }
    /// fp32 weights [n,k] that a kernel computes with: dequantised, or the plain ones.
    [[nodiscard]] std::span<const float> kernel_weights() const;

  private:
    Uninitialised<std::uint16_t> x_;
    Uninitialised<float> x_values_;
    std::optional<WeightsKey> plain_key_;
    PlainWeights plain_;
    std::optional<WeightsKey> quantised_key_;
    QuantisedWeights quantised_;
};

}  // namespace fdkbench
