#pragma once

#include "src/core/problem.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fdkbench {

/// `count` values of N(0, scale²), rounded to `type`. Value i depends on seed, stream and i alone
/// (a counter-based generator), never on the number of threads.
struct NormalStream {
    std::uint64_t seed = 0;
    std::uint64_t stream = 0;
    float scale = 1;
};
std::vector<std::uint16_t> normal_values(const NormalStream& stream,
                                         std::size_t count,
                                         ElementType type,
                                         int threads);

}  // namespace fdkbench
