#include "src/worker/random.hpp"

#include "src/core/half.hpp"
#include "tests/catch.hpp"

#include <algorithm>
#include <cmath>

using namespace fdkbench;

TEST_CASE("Values do not depend on the number of threads") {
    const RandomStream stream{.seed = 7, .stream = 1, .scale = 0.5F};
    const auto one = random_values(stream, 10'001, ElementType::kBf16, 1);
    CHECK(one == random_values(stream, 10'001, ElementType::kBf16, 2));
    CHECK(one == random_values(stream, 10'001, ElementType::kBf16, 13));
}

TEST_CASE("A shorter stream is the beginning of a longer one") {
    const auto longer = random_values({.seed = 7}, 1000, ElementType::kFp16, 3);
    const auto shorter = random_values({.seed = 7}, 333, ElementType::kFp16, 2);
    CHECK(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST_CASE("Seeds and streams give different values") {
    const auto values = [](std::uint64_t seed, std::uint64_t stream) {
        return random_values({.seed = seed, .stream = stream}, 100, ElementType::kBf16, 1);
    };
    CHECK(values(1, 0) != values(2, 0));
    CHECK(values(1, 0) != values(1, 1));
    CHECK(values(1, 1) != values(2, 0));
}

TEST_CASE("Uniform values have the same deviation and their bounds; zeros are zeros") {
    const std::size_t count = 100'000;
    const RandomStream uniform{.distribution = Distribution::kUniform, .seed = 3, .scale = 2};
    double squares = 0;
    double largest = 0;
    for (const std::uint16_t bits : random_values(uniform, count, ElementType::kFp16, 3)) {
        const double value = from_bits16(bits, ElementType::kFp16);
        squares += value * value;
        largest = std::max(largest, std::abs(value));
    }
    CHECK(std::sqrt(squares / count) == Approx(2).epsilon(0.01));
    CHECK(largest == Approx(2 * std::sqrt(3)).epsilon(0.001));
    const RandomStream zeros{.distribution = Distribution::kZeros};
    CHECK(random_values(zeros, 3, ElementType::kBf16, 1) == Uninitialised<std::uint16_t>{0, 0, 0});
}

TEST_CASE("Values are normal: mean, deviation, kurtosis and neighbours") {
    const std::size_t count = 400'000;
    const auto bits =
        random_values({.seed = 3, .stream = 1, .scale = 2}, count, ElementType::kFp16, 4);
    double sum = 0;
    double squares = 0;
    double fourths = 0;
    double products = 0;
    double last = 0;
    for (const std::uint16_t b : bits) {
        const double value = from_bits16(b, ElementType::kFp16) / 2;
        sum += value;
        squares += value * value;
        fourths += value * value * value * value;
        products += value * last;
        last = value;
    }
    // Four standard errors of each statistic.
    const double error = 4 / std::sqrt(static_cast<double>(count));
    CHECK(std::abs(sum / count) < error);
    CHECK(std::abs(squares / count - 1) < error * std::sqrt(2.0));
    CHECK(std::abs(fourths / count - 3) < error * std::sqrt(96.0));
    CHECK(std::abs(products / count) < error);
}
