#include "src/worker/random.hpp"

#include "src/core/half.hpp"
#include "src/core/parallel.hpp"

#include <cmath>
#include <numbers>

namespace fdkbench {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

/// The output function of splitmix64.
std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
    return z ^ (z >> 31U);
}

}  // namespace

std::vector<std::uint16_t> normal_values(const NormalStream& stream,
                                         std::size_t count,
                                         ElementType type,
                                         int threads) {
    std::vector<std::uint16_t> values(count);
    const std::uint64_t start = mix(mix(stream.seed + kGolden) + stream.stream);
    // Box–Muller: 64 random bits give the two values of a pair.
    parallel_for((count + 1) / 2, threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t pair = begin; pair < end; ++pair) {
            const std::uint64_t bits = mix(start + (pair + 1) * kGolden);
            const float u = (static_cast<float>(bits >> 32U) + 0.5F) * 0x1p-32F;  // never 0
            const float angle =
                static_cast<float>(bits & 0xffffffffU) * (0x1p-31F * std::numbers::pi_v<float>);
            const float radius = stream.scale * std::sqrt(-2 * std::log(u));
            values[2 * pair] = to_bits16(radius * std::cos(angle), type);
            if (2 * pair + 1 < count) {
                values[2 * pair + 1] = to_bits16(radius * std::sin(angle), type);
            }
        }
    });
    return values;
}

}  // namespace fdkbench
