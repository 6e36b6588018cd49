#include "src/core/statistics.hpp"

#include "tests/catch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

using namespace fdkbench;

namespace {

/// Samples whose log ratios are these.
std::vector<Sample> samples_of(const std::vector<double>& logs) {
    std::vector<Sample> samples;
    for (const double log : logs) {
        samples.push_back({.time_us = 10,
                           .baseline_before_us = 10 * std::exp(log),
                           .baseline_after_us = 10 * std::exp(log)});
    }
    return samples;
}

std::vector<double> squares(int n) {
    std::vector<double> values;
    for (int i = 1; i <= n; ++i) {
        values.push_back(i * i * 1e-4);
    }
    return values;
}

/// All means of two, sorted, by the definition.
std::vector<double> walsh(const std::vector<double>& values) {
    std::vector<double> averages;
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            averages.push_back((values[i] + values[j]) / 2);
        }
    }
    std::sort(averages.begin(), averages.end());
    return averages;
}

}  // namespace

TEST_CASE("The median is the middle value or the mean of the middle two") {
    CHECK(median({3}) == 3);
    CHECK(median({5, 1, 3}) == 3);
    CHECK(median({4, 1, 3, 2}) == 2.5);
    CHECK(median({7, 7, 1, 7}) == 7);
    CHECK_THROWS_AS(median({}), std::invalid_argument);
}

TEST_CASE("A ratio is the geometric mean of the baselines over the time") {
    const std::vector<Sample> samples(
        8, Sample{.time_us = 10, .baseline_before_us = 10, .baseline_after_us = 40});
    const RatioEstimate estimate = paired_ratio(samples);
    CHECK(estimate.ratio == Approx(2));
    CHECK(estimate.lo == Approx(2));
    CHECK(estimate.hi == Approx(2));
    CHECK(estimate.half_width() == Approx(0).margin(1e-12));
}

TEST_CASE("Logs from 1 to 10 have the estimate 5.5 and the interval from 3 to 8") {
    const auto estimate = paired_ratio(samples_of({4, 2, 9, 7, 1, 10, 3, 8, 6, 5}));
    CHECK(std::log(estimate.ratio) == Approx(5.5));
    CHECK(std::log(estimate.lo) == Approx(3));
    CHECK(std::log(estimate.hi) == Approx(8));
}

TEST_CASE("The interval follows the tabulated critical values of the signed-rank test") {
    struct Critical {
        int n;
        std::size_t value;  // greatest W with P(statistic ≤ W) ≤ 2.5 %
    };
    const auto critical = GENERATE(Critical{6, 0},
                                   Critical{7, 2},
                                   Critical{8, 3},
                                   Critical{9, 5},
                                   Critical{10, 8},
                                   Critical{15, 25},
                                   Critical{20, 52},
                                   Critical{25, 89},
                                   Critical{30, 137},
                                   Critical{40, 264},
                                   Critical{50, 434});
    CAPTURE(critical.n);
    const auto values = squares(critical.n);
    const auto averages = walsh(values);
    const auto estimate = paired_ratio(samples_of(values));
    CHECK(std::log(estimate.lo) == Approx(averages.at(critical.value)));
    CHECK(std::log(estimate.hi) == Approx(averages.at(averages.size() - 1 - critical.value)));
    CHECK(std::log(estimate.ratio) == Approx(median(averages)));
}

TEST_CASE("Fewer than 6 samples give the widened range, and one gives no bound") {
    const auto two = paired_ratio(samples_of({0, 1}));
    CHECK(std::log(two.ratio) == Approx(0.5));
    CHECK(std::log(two.lo) == Approx(-0.5));
    CHECK(std::log(two.hi) == Approx(1.5));
    const auto one = paired_ratio(samples_of({1}));
    CHECK(std::log(one.ratio) == Approx(1));
    CHECK(one.lo == 0);
    CHECK(one.hi == std::numeric_limits<double>::infinity());
}

TEST_CASE("The 95 % interval holds the truth in 90 to 99 % of simulated races") {
    const int n = GENERATE(6, 12, 30, 60);
    CAPTURE(n);
    constexpr int kRaces = 600;
    constexpr double kTruth = 0.3;
    std::mt19937 random(2024);
    std::normal_distribution<double> noise(kTruth, 0.02);
    int held = 0;
    for (int race = 0; race < kRaces; ++race) {
        std::vector<double> logs(static_cast<std::size_t>(n));
        std::generate(logs.begin(), logs.end(), [&] { return noise(random); });
        const auto estimate = paired_ratio(samples_of(logs));
        held += estimate.lo <= std::exp(kTruth) && std::exp(kTruth) <= estimate.hi ? 1 : 0;
    }
    CHECK(held > kRaces * 90 / 100);
    CHECK(held < kRaces * 99 / 100);
}

TEST_CASE("An outlier hardly moves the estimate") {
    std::vector<double> logs;
    for (int i = -10; i <= 10; ++i) {
        logs.push_back(0.5 + 0.001 * i);
    }
    const double before = paired_ratio(samples_of(logs)).ratio;
    logs.push_back(-3);
    const auto after = paired_ratio(samples_of(logs));
    CHECK(after.ratio == Approx(before).epsilon(0.002));
    CHECK(after.lo > before * 0.99);
}

TEST_CASE("A ratio of nothing, or of impossible times, is refused") {
    CHECK_THROWS_AS(paired_ratio({}), std::invalid_argument);
    for (const double time : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
        const std::vector<Sample> samples = {
            {.time_us = time, .baseline_before_us = 1, .baseline_after_us = 1}};
        CHECK_THROWS_AS(paired_ratio(samples), std::invalid_argument);
    }
}

TEST_CASE("The noise budget finds the three parts that samples were made of") {
    std::mt19937 random(3);
    const auto draw = [&](double deviation) {
        return std::normal_distribution<>(0, deviation)(random);
    };
    NestedSamples logs(200, {40, std::vector<double>(5)});
    for (auto& process : logs) {
        const double process_shift = draw(0.01);
        for (auto& block : process) {
            const double block_shift = draw(0.004);
            for (double& value : block) {
                value = 1 + process_shift + block_shift + draw(0.002);
            }
        }
    }
    const NoiseBudget budget = noise_budget(logs);
    CHECK(budget.replay == Approx(0.002).epsilon(0.05));
    CHECK(budget.block == Approx(0.004).epsilon(0.05));
    CHECK(budget.process == Approx(0.01).epsilon(0.15));
    CHECK(budget.resolvable(1, 1) ==
          Approx(1.96 * std::sqrt(2) * std::sqrt(1e-4 + 16e-6 + 4e-6)).epsilon(0.15));
    CHECK(budget.resolvable(4, 1) == Approx(budget.resolvable(1, 1) / 2));
}

TEST_CASE("A part that is not there is zero, and never less") {
    const NestedSamples logs{{{1, 2}, {2, 1}}, {{1, 2}, {1, 2}}};
    const NoiseBudget budget = noise_budget(logs);
    CHECK(budget.replay == Approx(std::sqrt(0.5)));
    CHECK(budget.block == 0);
    CHECK(budget.process == 0);
    CHECK_THROWS_AS(noise_budget({{{1, 2}, {1, 2}}}), std::invalid_argument);
    CHECK_THROWS_AS(noise_budget({{{1, 2}, {1}}, {{1, 2}, {1, 2}}}), std::invalid_argument);
}

namespace {

/// 6 samples of each process; `logs` are its log ratios but for ±0.0001.
void add_process(std::vector<Sample>& samples, int process, double log) {
    for (const double block : {-1e-4, -1e-4, 0.0, 0.0, 1e-4, 1e-4}) {
        samples.push_back({10, 10 * std::exp(log + block), 10 * std::exp(log + block), process});
    }
}

}  // namespace

TEST_CASE("Processes count as one value each, however many samples they have") {
    std::vector<Sample> samples;
    for (int process = 1; process <= 10; ++process) {
        add_process(samples, process, 0.1 * process);
    }
    add_process(samples, 10, 1);
    add_process(samples, 10, 1);
    const RatioEstimate estimate = paired_ratio(samples);
    CHECK(std::log(estimate.ratio) == Approx(0.55));
    CHECK(std::log(estimate.lo) == Approx(0.3));
    CHECK(std::log(estimate.hi) == Approx(0.8));
}

TEST_CASE("Two of a process' six samples may lie far off without moving its value") {
    std::vector<Sample> samples;
    for (int process = 1; process <= 3; ++process) {
        add_process(samples, process, 0.1);
        samples[samples.size() - 1].time_us *= 1.07;
        samples[samples.size() - 2].time_us *= 1.07;
    }
    CHECK(std::log(paired_ratio(samples).ratio) == Approx(0.1).margin(0.0002));
}

TEST_CASE("The race does not count where two processes confirmed its kernel") {
    std::vector<Sample> samples;
    add_process(samples, 0, 0.5);
    CHECK(std::log(paired_ratio(samples).ratio) == Approx(0.5));
    CHECK(decisive_samples(samples).size() == 6);
    add_process(samples, 1, 0.1);
    CHECK(std::log(paired_ratio(samples).ratio) == Approx(0.3));
    CHECK(std::log(paired_ratio(samples).lo) == Approx(-0.1));
    CHECK(decisive_samples(samples).size() == 12);
    add_process(samples, 2, 0.2);
    CHECK(std::log(paired_ratio(samples).ratio) == Approx(0.15));
    CHECK(std::log(paired_ratio(samples).hi) == Approx(0.25));
    CHECK(decisive_samples(samples).size() == 12);

    Measurement measurement;
    measurement.samples = samples;
    for (Sample& sample : measurement.samples) {
        sample.time_us = sample.process == 0 ? 99 : 10;
    }
    measurement.samples.insert(
        measurement.samples.end(), measurement.samples.begin(), measurement.samples.begin() + 6);
    measurement.samples.push_back(measurement.samples.front());
    summarise(measurement, {{1, 64, 64}, {4, 32}, ElementType::kBf16});
    CHECK(measurement.time_us == 10.0);
}

TEST_CASE("The 95 % interval holds the truth where processes differ more than their samples") {
    const int n = GENERATE(8, 16, 32);
    CAPTURE(n);
    constexpr int kSweeps = 600;
    std::mt19937 random(2025);
    std::normal_distribution<double> noise(0, 0.01);
    int held = 0;
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
        std::vector<Sample> samples;
        for (int process = 1; process <= n; ++process) {
            add_process(samples, process, noise(random));
        }
        const RatioEstimate estimate = paired_ratio(samples);
        held += estimate.lo <= 1 && 1 <= estimate.hi ? 1 : 0;
    }
    CHECK(held > kSweeps * 90 / 100);
    CHECK(held < kSweeps * 99 / 100);
}
