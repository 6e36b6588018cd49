#include "src/core/half.hpp"

#include "tests/catch.hpp"

#include <cmath>
#include <limits>

using namespace fdkbench;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::uint16_t infinity_bits(ElementType type) {
    return type == ElementType::kBf16 ? 0x7f80 : 0x7c00;
}

}  // namespace

TEST_CASE("Known 16-bit values are read as they are") {
    CHECK(from_bits16(0x3f80, ElementType::kBf16) == 1.0F);
    CHECK(from_bits16(0xc049, ElementType::kBf16) == -3.140625F);
    CHECK(from_bits16(0x0001, ElementType::kBf16) == 0x1p-133F);
    CHECK(from_bits16(0x7f7f, ElementType::kBf16) == 0x1.fep127F);
    CHECK(from_bits16(0x3c00, ElementType::kFp16) == 1.0F);
    CHECK(from_bits16(0xc248, ElementType::kFp16) == -3.140625F);
    CHECK(from_bits16(0x0001, ElementType::kFp16) == 0x1p-24F);
    CHECK(from_bits16(0x03ff, ElementType::kFp16) == 1023 * 0x1p-24F);
    CHECK(from_bits16(0x0400, ElementType::kFp16) == 0x1p-14F);
    CHECK(from_bits16(0x7bff, ElementType::kFp16) == 65504.0F);
    CHECK(std::signbit(from_bits16(0x8000, ElementType::kFp16)));
    CHECK(from_bits16(0xfc00, ElementType::kFp16) == -kInfinity);
}

TEST_CASE("Every 16-bit value survives being read and written") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    int wrong = 0;
    for (unsigned bits = 0; bits <= 0xffffU; ++bits) {
        const float value = from_bits16(static_cast<std::uint16_t>(bits), type);
        const std::uint16_t back = to_bits16(value, type);
        const bool is_nan = (bits & 0x7fffU) > infinity_bits(type);
        if (std::isnan(value) != is_nan) {
            ++wrong;
        } else if (is_nan ? !std::isnan(from_bits16(back, type)) : back != bits) {
            ++wrong;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("Between any two neighbours rounding goes to the nearer, and halfway to the even one") {
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const std::uint16_t largest = infinity_bits(type) - 1;
    int wrong = 0;
    for (std::uint16_t low = 0; low < largest; ++low) {
        const auto high = static_cast<std::uint16_t>(low + 1);
        const float middle = static_cast<float>(
            (static_cast<double>(from_bits16(low, type)) + from_bits16(high, type)) / 2);
        const std::uint16_t even = low % 2 == 0 ? low : high;
        wrong += to_bits16(middle, type) == even ? 0 : 1;
        wrong += to_bits16(-middle, type) == (even | 0x8000) ? 0 : 1;
        wrong += to_bits16(std::nextafter(middle, 0.0F), type) == low ? 0 : 1;
        wrong += to_bits16(std::nextafter(middle, kInfinity), type) == high ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("Too large values become infinite, and NaN stays NaN") {
    CHECK(to_bits16(65519.0F, ElementType::kFp16) == 0x7bff);
    CHECK(to_bits16(65520.0F, ElementType::kFp16) == 0x7c00);
    CHECK(to_bits16(1e30F, ElementType::kFp16) == 0x7c00);
    CHECK(to_bits16(-1e30F, ElementType::kFp16) == 0xfc00);
    CHECK(to_bits16(0x1.fep127F, ElementType::kBf16) == 0x7f7f);
    CHECK(to_bits16(std::numeric_limits<float>::max(), ElementType::kBf16) == 0x7f80);
    for (const ElementType type : {ElementType::kBf16, ElementType::kFp16}) {
        CHECK(to_bits16(kInfinity, type) == infinity_bits(type));
        CHECK(std::isnan(from_bits16(to_bits16(kNan, type), type)));
        CHECK(to_bits16(-0.0F, type) == 0x8000);
    }
    // The payload of this one lies wholly in the bits that are cut off.
    const auto low_nan = std::bit_cast<float>(0x7f800001U);
    CHECK(std::isnan(from_bits16(to_bits16(low_nan, ElementType::kBf16), ElementType::kBf16)));
}
