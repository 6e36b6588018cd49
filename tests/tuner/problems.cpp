#include "tuner/problems.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"

using namespace fdkbench;
using Catch::Matchers::ContainsSubstring;

namespace {

ProblemAxes axes() {
    ProblemAxes axes;
    axes.m = {1, 16};
    axes.n = {"k"};
    axes.k = {256, 512};
    axes.group_size = {"64"};
    axes.bits = {4};
    axes.types = {ElementType::kBf16};
    return axes;
}

}  // namespace

TEST_CASE("The product of all lists is swept, and n follows k where it is not given") {
    const auto problems = problems_from(axes());
    REQUIRE(problems.size() == 4);
    for (const Problem& problem : problems) {
        CHECK(problem.shape.n == problem.shape.k);
        CHECK(problem.format == WeightFormat{4, 64});
    }
    CHECK(problems[0].shape == Shape{1, 256, 256});
    CHECK(problems[3].shape == Shape{16, 512, 512});
}

TEST_CASE("Sixteen bits have one format whatever the group sizes") {
    ProblemAxes with_plain = axes();
    with_plain.bits = {16, 4};
    with_plain.group_size = {"32", "64", "k"};
    const auto problems = problems_from(with_plain);
    CHECK(problems.size() == 4 * (1 + 3));
    CHECK(problems[0].format == WeightFormat{16, 0});
    CHECK(problems[3].format == WeightFormat{4, 256});
}

TEST_CASE("Single shapes stand beside the product, and nothing is swept twice") {
    ProblemAxes with_shapes = axes();
    with_shapes.shapes = {"1x256x256", "7x96x128"};
    with_shapes.n = {"k", "256"};
    const auto problems = problems_from(with_shapes);
    CHECK(problems.size() == 2 + 4 + 1);
    CHECK(problems.back().shape == Shape{7, 96, 128});
    ProblemAxes only_shapes = axes();
    only_shapes.m.clear();
    only_shapes.shapes = {"7x96x128"};
    CHECK(problems_from(only_shapes).size() == 1);
}

TEST_CASE("An impossible combination or an empty list is a usage error") {
    ProblemAxes bad = axes();
    bad.group_size = {"96"};
    CHECK_THROWS_AS(problems_from(bad), UsageError);
    bad = axes();
    bad.bits = {3};
    CHECK_THROWS_AS(problems_from(bad), UsageError);
    bad = axes();
    bad.m.clear();
    CHECK_THROWS_WITH(problems_from(bad), ContainsSubstring("nothing to sweep"));
}

TEST_CASE("What is no number or no shape is refused with what to write") {
    ProblemAxes bad = axes();
    bad.n = {"many"};
    CHECK_THROWS_WITH(problems_from(bad), ContainsSubstring("'many'"));
    CHECK_THROWS_WITH(problems_from(bad), ContainsSubstring("k for n = k"));
    bad = axes();
    bad.group_size = {"64k"};
    CHECK_THROWS_WITH(problems_from(bad), ContainsSubstring("'64k'"));
    for (const std::string shape : {"16x4096", "1x2x3x4", "ax2x3", "1x2x", "", "1x 2x3"}) {
        bad = axes();
        bad.shapes = {shape};
        CHECK_THROWS_AS(problems_from(bad), UsageError);
        CHECK_THROWS_WITH(problems_from(bad), ContainsSubstring("'" + shape + "'"));
        CHECK_THROWS_WITH(problems_from(bad), ContainsSubstring("MxNxK"));
    }
}
