#include "src/core/accuracy.hpp"

#include "src/core/half.hpp"
#include "src/core/parallel.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace fdkbench {
namespace {

/// Sums do not depend on the number of threads: they are always taken in this many parts.
constexpr std::size_t kParts = 64;
/// Fewer elements are not worth starting threads for.
constexpr std::size_t kManyElements = 1 << 16;

struct Squares {
    double error = 0;
    double reference = 0;
};

template <typename Value>
Squares squares(std::size_t begin, std::size_t end, std::span<const float> reference, Value value) {
    Squares sums;
    for (std::size_t i = begin; i < end; ++i) {
        const double expected = reference[i];
        const double error = static_cast<double>(value(i)) - expected;
        sums.error += error * error;
        sums.reference += expected * expected;
    }
    return sums;
}

template <typename Value>
Accuracy compare_values(std::size_t size, std::span<const float> reference, Value value) {
    if (size != reference.size()) {
        throw std::invalid_argument("output and reference differ in length");
    }
    if (size == 0) {
        return {};
    }
    std::array<Squares, kParts> parts{};
    const int threads = size < kManyElements ? 1 : hardware_threads();
    parallel_for(kParts, threads, [&](std::size_t first, std::size_t last) {
        for (std::size_t part = first; part < last; ++part) {
            parts[part] =
                squares(size * part / kParts, size * (part + 1) / kParts, reference, value);
        }
    });
    double error_squares = 0;
    double reference_squares = 0;
    for (const Squares& part : parts) {
        error_squares += part.error;
        reference_squares += part.reference;
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
