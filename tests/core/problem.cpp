#include "src/core/problem.hpp"

#include "src/core/candidate_status.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"

#include <stdexcept>

using namespace fdkbench;

namespace {

std::string complaint(const Problem& problem) {
    try {
        validate(problem);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("A problem knows what it weighs") {
    const Problem problem{{3, 100, 256}, {4, 64}, ElementType::kBf16};
    CHECK(problem.weight_bytes() == 100 * 128);
    CHECK(problem.scale_bytes() == 100 * 4 * 2);
    CHECK(problem.bytes_moved() == 12800 + 800 + 3 * 256 * 2 + 3 * 100 * 2);
    CHECK(problem.flops() == 2.0 * 3 * 100 * 256);
    const Problem plain{{1, 10, 7}, {16, 0}, ElementType::kFp16};
    CHECK(plain.weight_bytes() == 140);
    CHECK(plain.scale_bytes() == 0);
}

TEST_CASE("Problems have names for people") {
    CHECK(to_string(Shape{1, 4096, 8192}) == "1x4096x8192");
    CHECK(to_string(Problem{{1, 2, 64}, {4, 64}, ElementType::kFp16}) ==
          "m=1 n=2 k=64 bits=4 group_size=64 fp16");
    CHECK(to_string(Layout::kCanonical) == "canonical");
    CHECK(to_string(Layout::kFragment) == "fragment");
    for (const Layout layout : {Layout::kCanonical, Layout::kFragment}) {
        CHECK(layout_from(to_string(layout)) == layout);
    }
    CHECK_THROWS_WITH(layout_from("tiled"), ContainsSubstring("canonical or fragment"));
}

TEST_CASE("Words of types and statuses read back") {
    for (const ElementType type : {ElementType::kBf16, ElementType::kFp16}) {
        CHECK(element_type_from(to_string(type)) == type);
    }
    CHECK_THROWS_WITH(element_type_from("fp8"), ContainsSubstring("'fp8'"));
    for (int i = 0; i <= static_cast<int>(CandidateStatus::kThrottled); ++i) {
        const auto status = static_cast<CandidateStatus>(i);
        CHECK(candidate_status_from(to_string(status)) == status);
    }
    CHECK(to_string(CandidateStatus::kCorrect) == "correct");
    CHECK(to_string(CandidateStatus::kConstraints) == "constraints");
    CHECK(to_string(CandidateStatus::kThrottled) == "throttled");
    CHECK_THROWS_AS(candidate_status_from("fine"), std::invalid_argument);
}

TEST_CASE("What can be computed is valid") {
    for (const int bits : {8, 4, 2, 1}) {
        for (const std::int64_t group_size : {32, 64, 128, 4096}) {
            CHECK_NOTHROW(validate({{1, 1, 4096}, {bits, group_size}}));
        }
    }
    CHECK_NOTHROW(validate({{1 << 24, 1 << 24, 1 << 24}, {16, 0}}));
    CHECK_NOTHROW(validate({{1, 1, 7}, {16, 0}}));
    CHECK_NOTHROW(validate({{1, 1, 100}, {4, 50}}));
}

TEST_CASE("What cannot be computed is refused with what to type instead") {
    CHECK(complaint({{0, 1, 64}, {16, 0}}) == "m 0 is out of range: choose -m from 1 to 16777216");
    CHECK(complaint({{1, -5, 64}, {16, 0}}) ==
          "n -5 is out of range: choose -n from 1 to 16777216");
    CHECK(complaint({{1, 1, 16777217}, {16, 0}}) ==
          "k 16777217 is out of range: choose -k from 1 to 16777216");
    CHECK(complaint({{1, 1, 64}, {3, 64}}) ==
          "bits 3 is not supported: choose -b 16, 8, 4, 2 or 1");
    CHECK(complaint({{1, 1, 100}, {4, 64}}) ==
          "k 100 is not divisible by group size 64: choose -k a multiple of 64, or -g 50");
    CHECK(complaint({{1, 1, 100}, {1, 64}}) ==
          "k 100 is not divisible by group size 64: choose -k a multiple of 64");
    CHECK(complaint({{1, 1, 64}, {1, 4}}) ==
          "group size 4 at 1 bits per weight does not fill whole bytes: choose -g a multiple of 8");
    CHECK(complaint({{1, 1, 64}, {4, 0}}) ==
          "group size 0 is out of range: choose -g from 1 to k, for example -g 64");
    CHECK(complaint({{1, 1, 64}, {16, 64}}) ==
          "16-bit weights have no groups: the group size must be 0, not 64");
}
