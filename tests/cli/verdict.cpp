#include "src/cli/verdict.hpp"

#include "tests/catch.hpp"

using namespace fdkbench;
using Catch::Matchers::ContainsSubstring;

namespace {

const Problem kProblem{{1, 64, 256}, {4, 64}, ElementType::kBf16};

Measurement stored(double lo, double ratio, double hi) {
    Measurement measurement;
    measurement.ratio_lo = lo;
    measurement.ratio = ratio;
    measurement.ratio_hi = hi;
    return measurement;
}

/// What a process measures whose samples have these ratios.
Measurement process_with(const std::vector<double>& ratios) {
    Measurement measurement;
    for (const double ratio : ratios) {
        measurement.samples.push_back({10 / ratio, 10, 10});
    }
    summarise(measurement, kProblem);
    return measurement;
}

Measurement steady(double ratio) {
    return process_with(
        {ratio, ratio * 1.001, ratio * 0.999, ratio * 1.002, ratio * 0.998, ratio, ratio});
}

Measurement failed(CandidateStatus status) {
    Measurement measurement;
    measurement.status = status;
    measurement.message = "of the test\nin two lines";
    return measurement;
}

}  // namespace

TEST_CASE("A winner holds when the same is measured again, and needs no other process") {
    const Measurement winner = stored(1.98, 2, 2.02);
    Trial trial(winner, kProblem);
    CHECK(trial.in_doubt());
    CHECK(trial.judgement().text == "not measured: interrupted");
    CHECK(trial.now() == nullptr);
    trial.add(steady(2.01));
    CHECK(trial.judgement().verdict == Verdict::kHolds);
    CHECK(trial.judgement().text == "holds");
    CHECK_FALSE(trial.in_doubt());
    REQUIRE(trial.now() != nullptr);
    CHECK(trial.now()->ratio == Approx(2.01).epsilon(0.002));
}

TEST_CASE("A winner has drifted when the intervals are apart by more than a per cent") {
    const Measurement winner = stored(1.99, 2, 2.01);
    const auto [ratio, verdict] = GENERATE(std::pair(1.9, Verdict::kDrifted),
                                           std::pair(2.1, Verdict::kDrifted),
                                           std::pair(1.0, Verdict::kDrifted),
                                           std::pair(2.015, Verdict::kHolds));
    CAPTURE(ratio);
    Trial trial(winner, kProblem);
    trial.add(steady(ratio));
    CHECK(trial.judgement().verdict == verdict);
    CHECK(trial.in_doubt() == (verdict == Verdict::kDrifted));
    if (ratio == 1.9) {
        CHECK(trial.judgement().text == "DRIFTED -5.0 %");
    }
}

TEST_CASE("Intervals that would hide a drift say nothing, whichever of them is wide") {
    SECTION("the new one") {
        const Measurement winner = stored(1.99, 2, 2.01);
        Trial trial(winner, kProblem);
        trial.add(process_with({1, 4, 1.5, 3, 2, 2.2, 1.8}));
        CHECK(trial.judgement().verdict == Verdict::kNotMeasured);
        CHECK_THAT(trial.judgement().text, ContainsSubstring("would hide a drift of"));
        CHECK(trial.in_doubt());
    }
    SECTION("the stored one") {
        const Measurement winner = stored(1.5, 2, 2.5);
        Trial trial(winner, kProblem);
        trial.add(steady(2));
        CHECK(trial.judgement().verdict == Verdict::kNotMeasured);
    }
    SECTION("one that ends at 0") {
        const Measurement winner = stored(0, 2, 2.5);
        Trial trial(winner, kProblem);
        trial.add(steady(2));
        CHECK(trial.judgement().text == "not measured: the intervals would hide any drift");
    }
    SECTION("there is none") {
        Measurement winner;
        winner.ratio = 2;
        Trial trial(winner, kProblem);
        trial.add(steady(2));
        CHECK_THAT(trial.judgement().text, ContainsSubstring("not measured: one sample is stored"));
        const Measurement known = stored(1.99, 2, 2.01);
        Trial short_trial(known, kProblem);
        short_trial.add(process_with({2}));
        CHECK_THAT(short_trial.judgement().text, ContainsSubstring("one sample was taken"));
    }
}

TEST_CASE("Processes count together, each by its median") {
    const Measurement winner = stored(1.99, 2, 2.01);
    Trial trial(winner, kProblem);
    trial.add(steady(1.95));
    CHECK(trial.judgement().verdict == Verdict::kDrifted);
    trial.add(steady(2));
    trial.add(steady(2.01));
    CHECK(processes(trial.now()->samples) == 3);
    CHECK(trial.now()->ratio == Approx(1.99).epsilon(0.01));
    CHECK(trial.judgement().verdict == Verdict::kHolds);
}

TEST_CASE("One failure may be the machine's, two are the kernel's") {
    const Measurement winner = stored(1.99, 2, 2.01);
    const auto status = GENERATE(CandidateStatus::kTimeout, CandidateStatus::kRuntime);
    Trial trial(winner, kProblem);
    trial.add(failed(status));
    CHECK(trial.judgement().verdict == Verdict::kNotMeasured);
    CHECK(trial.in_doubt());
    SECTION("then it is measured") {
        trial.add(steady(2));
        CHECK(trial.judgement().verdict == Verdict::kHolds);
    }
    SECTION("and fails again") {
        trial.add(steady(1.9));
        trial.add(failed(status));
        CHECK(trial.judgement().verdict == Verdict::kWrong);
        CHECK_FALSE(trial.in_doubt());
        trial.add_nothing("no memory");
        CHECK(trial.judgement().text ==
              "WRONG: " + std::string(to_string(status)) + ": of the test");
    }
}

TEST_CASE("An output that is wrong once is wrong") {
    const Measurement winner = stored(1.99, 2, 2.01);
    Trial trial(winner, kProblem);
    trial.add(failed(CandidateStatus::kCorrectness));
    CHECK(trial.judgement().verdict == Verdict::kWrong);
    CHECK_FALSE(trial.in_doubt());
    trial.add(steady(2));
    CHECK(trial.judgement().verdict == Verdict::kWrong);
}

TEST_CASE("A throttled device measures nothing, and takes nothing back") {
    const Measurement winner = stored(1.99, 2, 2.01);
    Trial trial(winner, kProblem);
    trial.add(failed(CandidateStatus::kThrottled));
    CHECK(trial.judgement().text == "not measured: throttled: of the test");
    trial.add(steady(1.8));
    trial.add(failed(CandidateStatus::kThrottled));
    CHECK(trial.judgement().verdict == Verdict::kDrifted);
    Trial unreached(winner, kProblem);
    unreached.add_nothing("no memory");
    CHECK(unreached.judgement().text == "not measured: no memory");
}
