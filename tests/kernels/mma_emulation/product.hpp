#pragma once

#include "src/core/half.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

// Inputs of emulated products, and how far off their results are.

inline constexpr fdkbench::ElementType kType = fdkbench::ElementType::kBf16;
inline constexpr std::uint16_t kPoison = 0x7fc1;  // NaN

inline std::vector<std::uint16_t> random_elements(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<std::uint16_t> values(count);
    for (std::uint16_t& value : values) {
        value = fdkbench::to_bits16(normal(random), kType);
    }
    return values;
}

inline std::vector<float> to_floats(const std::vector<std::uint16_t>& elements) {
    std::vector<float> values;
    for (const std::uint16_t element : elements) {
        values.push_back(fdkbench::from_bits16(element, kType));
    }
    return values;
}

/// Root mean square of (y − reference) ÷ that of the reference; infinite where y is not a number.
inline double nrmse(const std::vector<float>& y, const std::vector<double>& reference) {
    double error = 0;
    double square = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
        if (!std::isfinite(y[i])) {
            return std::numeric_limits<double>::infinity();
        }
        error += (y[i] - reference[i]) * (y[i] - reference[i]);
        square += reference[i] * reference[i];
    }
    return std::sqrt(error / square);
}
