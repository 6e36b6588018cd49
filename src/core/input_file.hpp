#pragma once

#include "src/core/problem.hpp"
#include "src/core/safetensors.hpp"
#include "src/core/uninitialised.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fdkbench {

/// Where values to measure on are: "FILE" or "FILE:TENSOR".
struct InputSource {
    std::filesystem::path file;
    std::string tensor;  ///< empty: `weight`, and perhaps `x`
};

/// Takes such a text apart; a text that names a file as it is has no tensor.
InputSource input_source(const std::string& text);

/// A safetensors file with values to measure on: tensor `weight`, and perhaps `x` for activations,
/// or any one tensor for weights; BF16, F16 or F32. Their shapes do not matter: values are taken in
/// order.
class InputFile {
  public:
    /// From an input_source(). Throws UsageError for a file that is not such a one, saying what it
    /// holds.
    explicit InputFile(const std::string& source);

    /// "file:" and twelve hexadecimal digits that depend on the values and their types only.
    [[nodiscard]] std::string name() const;
    /// Whether it has a tensor `x`.
    [[nodiscard]] bool has_activations() const { return x_ != nullptr; }
    /// `count` values of `weight` or `x` in 16 bits, from the first on, as often as it takes.
    [[nodiscard]] Uninitialised<std::uint16_t> weights(std::size_t count, ElementType type) const;
    [[nodiscard]] Uninitialised<std::uint16_t> activations(std::size_t count,
                                                           ElementType type) const;

  private:
    explicit InputFile(const InputSource& source);

    SafetensorsFile file_;
    const Tensor* weight_ = nullptr;
    const Tensor* x_ = nullptr;
};

}  // namespace fdkbench
