#include "src/cli/check_report.hpp"

#include "src/cli/check_problems.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"

using namespace fdkbench;

namespace {

CheckedChoice choice(std::int64_t m, double ratio, double best_ratio) {
    CheckedChoice choice;
    choice.candidate.problem = {{m, 128, 256}, {4, 64}, ElementType::kBf16};
    choice.candidate.family = "lut_mv";
    choice.measurement.emplace();
    choice.measurement->time_us = 20 / ratio;
    choice.measurement->ratio = ratio;
    choice.best.emplace();
    choice.best->family = "best_mv";
    choice.best->time_us = 20 / best_ratio;
    choice.best->ratio = best_ratio;
    return choice;
}

CheckedChoice failed(CandidateStatus status) {
    CheckedChoice failed = choice(1, 1, 1);
    failed.measurement = Measurement{};
    failed.measurement->status = status;
    failed.measurement->message = "because";
    return failed;
}

DispatchTable table() {
    DispatchTable table;
    for (const std::int64_t n : {4096, 8192}) {
        for (const std::int64_t m : {1, 16}) {
            TableEntry entry;
            entry.problem = {{m, n, n}, {4, 64}, ElementType::kBf16};
            table.entries.push_back(entry);
        }
    }
    return table;
}

std::string shapes(const ProblemAxes& typed) {
    std::string text;
    for (const Problem& problem : check_problems(typed, table())) {
        text += (text.empty() ? "" : " ") + to_string(problem.shape);
    }
    return text;
}

}  // namespace

TEST_CASE("A loss is what the race measured, and none where the choice itself is the fastest") {
    CHECK(choice(1, 2, 2.02).loss() == Approx(0.01));
    CHECK(choice(1, 2, 2).loss() == 0);
    CHECK(choice(1, 2, 1.9).loss() == 0);
    CHECK_FALSE(choice(1, 1, 1).slower());
    CHECK(choice(1, 0.999, 1).slower());
}

TEST_CASE("A report has the geometric mean, the worst, and how many are slower than the baseline") {
    const CheckReport report({choice(1, 2, 2.1), choice(64, 0.9, 0.9), choice(65, 0.9, 1.08)}, {});
    const Json json = report.json();
    CHECK(json.at("mean_loss") == Approx(std::cbrt(1.05 * 1.2) - 1));
    CHECK(json.at("worst_loss") == Approx(0.2));
    CHECK(json.at("slower") == 1);
    CHECK(json.at("problems").size() == 3);
    CHECK_THAT(
        report.text(),
        ContainsSubstring("3 problems: loss 8.01 % (geometric mean), 20.00 % at worst; slower "
                          "than the baseline at m <= 64: 1; wrong: 0; not measured: 0") &&
            ContainsSubstring("; best: best_mv"));
}

TEST_CASE("Each limit is broken by more than it allows") {
    const std::vector<CheckedChoice> all{choice(1, 2, 2), choice(1, 2, 2.42)};
    CHECK(CheckReport(all, {0.101, 0.211}).broken().empty());
    CHECK_THAT(CheckReport(all, {0.099, 0.211}).broken(),
               ContainsSubstring("10.00 %, is above 9.90 % (--max-mean-loss)") &&
                   !ContainsSubstring("--max-loss"));
    CHECK_THAT(CheckReport(all, {0.101, 0.209}).broken(),
               ContainsSubstring("21.00 %, is above 20.90 % (--max-loss)") &&
                   !ContainsSubstring("--max-mean-loss"));
    CHECK_THAT(CheckReport({choice(64, 0.99, 0.99)}, {1, 1}).broken(),
               ContainsSubstring("1 choice"));
    CHECK(CheckReport({choice(65, 0.99, 0.99)}, {1, 1}).broken().empty());
}

TEST_CASE("What is wrong breaks the check, what is throttled or was not reached does not") {
    CheckedChoice lost = choice(1, 1, 1);
    lost.measurement.reset();
    const CheckReport report({failed(CandidateStatus::kCorrectness),
                              failed(CandidateStatus::kThrottled),
                              lost,
                              choice(1, 2, 2)},
                             {1, 1});
    CHECK(report.unmeasured() == 2);
    CHECK_THAT(report.broken(), ContainsSubstring("1 choice is wrong"));
    CHECK_THAT(report.text(),
               ContainsSubstring("correctness: because") &&
                   ContainsSubstring("throttled: because") && ContainsSubstring("not measured\n"));
    CHECK(report.json().at("mean_loss") == 0);
}

TEST_CASE("Without matrices the table's are checked between its m, and one between them at its m") {
    CHECK(shapes({}) == "4x4096x4096 1x5888x5888 16x5888x5888 4x8192x8192");
    ProblemAxes typed;
    typed.bits = {4};
    typed.group_size = {"64"};
    CHECK(shapes(typed) == shapes({}));
    typed.m = {3, 24};
    CHECK(shapes(typed) ==
          "3x4096x4096 24x4096x4096 3x5888x5888 24x5888x5888 3x8192x8192 24x8192x8192");
    typed.group_size = {"128"};
    CHECK_THROWS_AS(shapes(typed), UsageError);
    typed.group_size = {};
    typed.bits = {2};
    CHECK_THROWS_AS(shapes(typed), UsageError);
}

TEST_CASE("Named matrices are checked at the m that were typed, else between the table's") {
    ProblemAxes typed;
    typed.n = {"1024"};
    CHECK_THROWS_AS(shapes(typed), UsageError);
    typed.k = {5120};
    CHECK(shapes(typed) == "4x1024x5120");
    typed.m = {2};
    CHECK(shapes(typed) == "2x1024x5120");
    ProblemAxes single;
    single.shapes = {"7x64x128"};
    CHECK(shapes(single) == "7x64x128");
    single.m = {2};
    CHECK(shapes(single) == "7x64x128 2x4096x4096 2x5888x5888 2x8192x8192");
}
