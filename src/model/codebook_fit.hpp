#pragma once

#include "src/core/problem.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fdkbench {

/// Finds the codebook with which quantise() makes a small squared error of some weights: weighted
/// one-dimensional k-means (Lloyd's iteration) over the scaled weights, of which each counts with
/// the square of its group's scale, as its error is multiplied by that scale. All that is kept of
/// the weights are two sums for each of the 65536 scaled weights that 16 bits can hold.
class CodebookFit {
  public:
    CodebookFit(const WeightFormat& format, ElementType type);

    /// Takes whole groups of finite weights; may be called again and again. Uses `threads` threads,
    /// of whose number the result does not depend.
    void add(std::span<const std::uint16_t> weights, int threads);

    /// [2^bits], ascending. Never has a greater squared error than uniform_codebook().
    [[nodiscard]] std::vector<std::uint16_t> codebook() const;

  private:
    /// Of the weights w with scale s that have one scaled value.
    struct Sums {
        double mass = 0;    // Σ s²
        double moment = 0;  // Σ s · w
    };

    [[nodiscard]] std::vector<Sums> totals() const;

    WeightFormat format_;
    ElementType type_;
    std::vector<std::vector<Sums>> parts_;  // summed apart, so that threads do not change the order
};

}  // namespace fdkbench
