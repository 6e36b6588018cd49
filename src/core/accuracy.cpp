#include "src/core/accuracy.hpp"

#include "src/core/half.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

namespace fdkbench {
namespace {

template <typename Value>
Accuracy compare_values(std::size_t size, std::span<const float> reference, Value value) {
    if (size != reference.size()) {
        throw std::invalid_argument("output and reference differ in length");
    }
    if (size == 0) {
        return {};
    }
    double error_squares = 0;
    double reference_squares = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const double expected = reference[i];
        const double error = static_cast<double>(value(i)) - expected;
        error_squares += error * error;
        reference_squares += expected * expected;
    }
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (!std::isfinite(error_squares)) {
        return {.rmse = kInfinity, .nrmse = kInfinity};
    }
    Accuracy accuracy;
    accuracy.rmse = std::sqrt(error_squares / static_cast<double>(size));
    if (error_squares > 0) {
        accuracy.nrmse =
            reference_squares > 0 ? std::sqrt(error_squares / reference_squares) : kInfinity;
    }
    return accuracy;
}

}  // namespace

Accuracy compare(std::span<const std::uint16_t> output,
                 ElementType type,
                 std::span<const float> reference) {
    return compare_values(
        output.size(), reference, [&](std::size_t i) { return from_bits16(output[i], type); });
}

Accuracy compare(std::span<const float> output, std::span<const float> reference) {
    return compare_values(output.size(), reference, [&](std::size_t i) { return output[i]; });
}

}  // namespace fdkbench
