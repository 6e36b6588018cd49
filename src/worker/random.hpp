#pragma once

#include "src/core/measuring_policy.hpp"
#include "src/core/problem.hpp"
#include "src/core/uninitialised.hpp"

#include <cstddef>
#include <cstdint>

namespace fdkbench {

/// Values with mean 0 and standard deviation `scale` (or all 0).
struct RandomStream {
    Distribution distribution = Distribution::kNormal;
    std::uint64_t seed = 0;
    std::uint64_t stream = 0;
    float scale = 1;
};

/// `count` values rounded to `type`. Value i depends on the stream and i alone (a counter-based
/// generator), never on the number of threads.
Uninitialised<std::uint16_t> random_values(const RandomStream& stream,
                                           std::size_t count,
                                           ElementType type,
                                           int threads);

}  // namespace fdkbench
