#include "src/worker/random.hpp"

#include "src/core/half.hpp"
#include "src/core/parallel.hpp"

#include <algorithm>
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

struct Pair {
    float first;
    float second;
};

/// Box–Muller: 64 random bits give two values.
Pair normal_pair(std::uint64_t bits) {
    const float u = (static_cast<float>(bits >> 32U) + 0.5F) * 0x1p-32F;  // never 0
    const float angle =
        static_cast<float>(bits & 0xffffffffU) * (0x1p-31F * std::numbers::pi_v<float>);
    const float radius = std::sqrt(-2 * std::log(u));
    return {radius * std::cos(angle), radius * std::sin(angle)};
}

Pair uniform_pair(std::uint64_t bits) {
    const auto value = [](std::uint64_t half) {
        return (static_cast<float>(half) * 0x1p-31F - 1) * std::numbers::sqrt3_v<float>;
    };
    return {value(bits >> 32U), value(bits & 0xffffffffU)};
}

}  // namespace

Uninitialised<std::uint16_t> random_values(const RandomStream& stream,
                                           std::size_t count,
                                           ElementType type,
                                           int threads) {
    Uninitialised<std::uint16_t> values(count);
    if (stream.distribution == Distribution::kZeros) {
        std::ranges::fill(values, 0);
        return values;
    }
    const auto draw = stream.distribution == Distribution::kNormal ? normal_pair : uniform_pair;
    const std::uint64_t start = mix(mix(stream.seed + kGolden) + stream.stream);
    parallel_for((count + 1) / 2, threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t pair = begin; pair < end; ++pair) {
            const auto [first, second] = draw(mix(start + (pair + 1) * kGolden));
            values[2 * pair] = to_bits16(stream.scale * first, type);
            if (2 * pair + 1 < count) {
                values[2 * pair + 1] = to_bits16(stream.scale * second, type);
            }
        }
    });
    return values;
}

}  // namespace fdkbench
