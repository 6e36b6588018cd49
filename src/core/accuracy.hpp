#pragma once

#include "src/core/measurement.hpp"
#include "src/core/problem.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace fdkbench {

/// Error of a 16-bit output against an fp32 reference of the same length. A NaN or infinity in
/// `output` makes rmse and nrmse infinite.
Accuracy compare(std::span<const std::uint16_t> output,
                 ElementType type,
                 std::span<const float> reference);
/// The same for fp32 outputs.
Accuracy compare(std::span<const float> output, std::span<const float> reference);

/// Sums over elements, for what is compared in pieces.
struct SquareSums {
    double error = 0;      ///< Σ (output − reference)²
    double reference = 0;  ///< Σ reference²
    std::size_t count = 0;

    SquareSums& operator+=(const SquareSums& other);
};

/// Does not depend on the number of threads.
SquareSums square_sums(std::span<const float> output, std::span<const float> reference);

/// compare() of all pieces together.
Accuracy accuracy_of(const SquareSums& sums);

}  // namespace fdkbench
