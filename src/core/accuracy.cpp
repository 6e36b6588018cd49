#include "src/core/accuracy.hpp"

#include "src/core/half.hpp"
#include "src/core/parallel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace fdkbench {
namespace {

/// Sums do not depend on the number of threads: they are always taken in this many parts.
constexpr std::size_t kParts = 64;
/// So many elements are worth a thread: starting one takes as long as a hundred thousand.
constexpr std::size_t kElementsPerThread = 1 << 18;

template <typename Value>
SquareSums squares(std::size_t begin,
                   std::size_t end,
                   std::span<const float> reference,
                   Value value) {
    SquareSums sums{.count = end - begin};
    for (std::size_t i = begin; i < end; ++i) {
        const double expected = reference[i];
        const double error = static_cast<double>(value(i)) - expected;
        sums.error += error * error;
        sums.reference += expected * expected;
    }
    return sums;
}

template <typename Value>
SquareSums sums_of(std::size_t size, std::span<const float> reference, Value value) {
    if (size != reference.size()) {
        throw std::invalid_argument("output and reference differ in length");
    }
    std::array<SquareSums, kParts> parts{};
    const int threads =
        static_cast<int>(std::clamp<std::size_t>(size / kElementsPerThread, 1, hardware_threads()));
    parallel_for(kParts, threads, [&](std::size_t first, std::size_t last) {
        for (std::size_t part = first; part < last; ++part) {
            parts[part] =
                squares(size * part / kParts, size * (part + 1) / kParts, reference, value);
        }
    });
    SquareSums sums;
    for (const SquareSums& part : parts) {
        sums += part;
    }
    return sums;
}

}  // namespace

SquareSums& SquareSums::operator+=(const SquareSums& other) {
    error += other.error;
    reference += other.reference;
    count += other.count;
    return *this;
}

Accuracy accuracy_of(const SquareSums& sums) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (sums.count == 0) {
        return {};
    }
    if (!std::isfinite(sums.error)) {
        return {.rmse = kInfinity, .nrmse = kInfinity};
    }
    Accuracy accuracy;
    accuracy.rmse = std::sqrt(sums.error / static_cast<double>(sums.count));
    if (sums.error > 0) {
        accuracy.nrmse = sums.reference > 0 ? std::sqrt(sums.error / sums.reference) : kInfinity;
    }
    return accuracy;
}

Accuracy compare(std::span<const std::uint16_t> output,
                 ElementType type,
                 std::span<const float> reference) {
    return accuracy_of(sums_of(
        output.size(), reference, [&](std::size_t i) { return from_bits16(output[i], type); }));
}

Accuracy compare(std::span<const float> output, std::span<const float> reference) {
    return accuracy_of(square_sums(output, reference));
}

SquareSums square_sums(std::span<const float> output, std::span<const float> reference) {
    return sums_of(output.size(), reference, [&](std::size_t i) { return output[i]; });
}

}  // namespace fdkbench
