#pragma once

#include "src/core/measurement.hpp"
#include "src/core/problem.hpp"

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

}  // namespace fdkbench
