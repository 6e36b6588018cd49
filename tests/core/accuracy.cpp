#include "src/core/accuracy.hpp"

#include "src/core/half.hpp"
#include "tests/catch.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace fdkbench;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("The error is the root mean square difference, and normalised by the reference's") {
    const std::vector<float> reference = {3, -4, 0, 0};
    const std::vector<float> output = {3, -4, 0, 1};
    const Accuracy accuracy = compare(output, reference);
    CHECK(accuracy.rmse == Approx(0.5));
    CHECK(accuracy.nrmse == Approx(0.2));
}

TEST_CASE("A 16-bit output is compared at its own value") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const std::vector<std::uint16_t> output = {to_bits16(1, type), to_bits16(-2, type)};
    CHECK(compare(output, type, std::vector<float>{1, -2}).rmse == 0);
    CHECK(compare(output, type, std::vector<float>{1, -1}).rmse == Approx(std::sqrt(0.5)));
}

TEST_CASE("A NaN or an infinity in the output makes the error infinite") {
    for (const float bad : {kNan, kInfinity, -kInfinity}) {
        CAPTURE(bad);
        const Accuracy accuracy = compare(std::vector<float>{1, bad}, std::vector<float>{1, 1});
        CHECK(std::isinf(accuracy.rmse));
        CHECK(std::isinf(accuracy.nrmse));
        const std::vector<std::uint16_t> bits = {to_bits16(bad, ElementType::kFp16)};
        CHECK(std::isinf(compare(bits, ElementType::kFp16, std::vector<float>{1}).nrmse));
    }
}

TEST_CASE("Against a reference of zeros only zeros are right") {
    const std::vector<float> zeros(4);
    CHECK(compare(zeros, zeros).nrmse == 0);
    CHECK(std::isinf(compare(std::vector<float>{0, 0, 0, 1e-3F}, zeros).nrmse));
}

TEST_CASE("An output of another length than the reference is refused") {
    CHECK_THROWS_AS(compare(std::vector<float>{1}, std::vector<float>{1, 2}),
                    std::invalid_argument);
}

TEST_CASE("An error is summed up in 64 parts to the bit, however many threads there are") {
    // So many elements that more than one thread is worth it.
    constexpr std::size_t kSize = (1 << 20) + 37;
    std::vector<float> reference(kSize);
    std::vector<float> output(kSize);
    for (std::size_t i = 0; i < kSize; ++i) {
        reference[i] = std::sin(static_cast<float>(i));
        output[i] = reference[i] * (1 + 1e-3F * std::cos(static_cast<float>(3 * i)));
    }
    double errors = 0;
    for (std::size_t part = 0; part < 64; ++part) {
        double sum = 0;
        for (std::size_t i = kSize * part / 64; i < kSize * (part + 1) / 64; ++i) {
            const double error = static_cast<double>(output[i]) - static_cast<double>(reference[i]);
            sum += error * error;
        }
        errors += sum;
    }
    CHECK(square_sums(output, reference).error == errors);
}

TEST_CASE("Pieces that are added up have the error of the whole") {
    const std::vector<float> reference = {3, -4, 0, 0, 2};
    const std::vector<float> output = {3, -4, 0, 1, 1};
    SquareSums sums;
    for (const auto& [begin, size] : {std::pair(0, 3), std::pair(3, 2)}) {
        sums += square_sums(std::span(output).subspan(begin, size),
                            std::span(reference).subspan(begin, size));
    }
    const Accuracy whole = compare(output, reference);
    CHECK(accuracy_of(sums).rmse == Approx(whole.rmse));
    CHECK(accuracy_of(sums).nrmse == Approx(whole.nrmse));
    CHECK(accuracy_of({}).rmse == 0);
}
