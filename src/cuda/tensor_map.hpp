#pragma once

#include "src/core/backend.hpp"
#include "src/core/launch_plan.hpp"

#include <cuda.h>

namespace fdkbench {

/// The kernel parameter for an operand of a plan at its present address, with as many rows of x as
/// there are: m need not be the plan's. Throws CandidateError(constraints) when the driver does not
/// take it, or has no tensor maps.
CUtensorMap encode(const LaunchPlan& plan, const TensorMap& map, const Arguments& arguments);

}  // namespace fdkbench
