#include "results/kernel_limit.hpp"

#include "results/intervals.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <random>

using namespace fdkbench;

namespace {

using Costs = std::vector<std::vector<double>>;

double sum_of(const Costs& costs, const std::vector<std::size_t>& rows) {
    double sum = 0;
    for (std::size_t column = 0; column < costs.front().size(); ++column) {
        double least = std::numeric_limits<double>::infinity();
        for (const std::size_t row : rows) {
            least = std::min(least, costs[row][column]);
        }
        sum += least;
    }
    return sum;
}

/// The least sum of any `count` rows.
double least_sum(const Costs& costs, std::size_t count) {
    std::vector<bool> taken(costs.size());
    std::fill_n(taken.begin(), count, true);
    double least = std::numeric_limits<double>::infinity();
    do {
        std::vector<std::size_t> rows;
        for (std::size_t row = 0; row < costs.size(); ++row) {
            if (taken[row]) {
                rows.push_back(row);
            }
        }
        least = std::min(least, sum_of(costs, rows));
    } while (std::prev_permutation(taken.begin(), taken.end()));
    return least;
}

Costs random_costs(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> values(1, 10);
    Costs costs(12, std::vector<double>(6));
    for (auto& row : costs) {
        std::ranges::generate(row, [&] { return values(random); });
    }
    return costs;
}

/// A measurement of the kernel that is called `name`, with tiles of 8 rows.
TableEntry entry(const std::string& name, std::int64_t m, double time_us, double ratio) {
    TableEntry entry;
    entry.problem = small_problem(m);
    entry.family = name;
    entry.binary_hash = "hash-" + name;
    entry.time_us = time_us;
    entry.ratio = ratio;
    LaunchStep step;
    step.grid_per_tile[0] = 1;
    entry.plan = {.steps = {step}, .workspace_bytes = 0, .tiling = RowTiling{.m_tile = 8}};
    entry.plan = for_m(entry.plan, m).value();
    return entry;
}

/// "name@m" of each entry.
std::string text(const std::vector<TableEntry>& entries) {
    std::string text;
    for (const TableEntry& entry : entries) {
        text +=
            fmt::format("{}{}@{}", text.empty() ? "" : " ", entry.family, entry.problem.shape.m);
    }
    return text;
}

/// `a` is the best for m = 1, `b` for 64, `c` second everywhere.
struct Three {
    std::vector<TableEntry> best{entry("a", 1, 10, 4), entry("b", 64, 20, 4)};
    std::vector<TableEntry> measured{entry("a", 1, 10, 4),
                                     entry("a", 64, 80, 1),
                                     entry("b", 1, 40, 1),
                                     entry("b", 64, 20, 4),
                                     entry("c", 1, 11, 3.6),
                                     entry("c", 64, 22, 3.6)};
};

}  // namespace

TEST_CASE("One row or two are the best of all, more at least better than two") {
    const unsigned seed = GENERATE(range(0U, 30U));
    const Costs costs = random_costs(seed);
    for (const std::size_t count : {1, 2}) {
        const auto chosen = choose_rows(costs, count);
        CHECK(chosen.size() <= count);
        CHECK(sum_of(costs, chosen) == Approx(least_sum(costs, count)));
    }
    const auto chosen = choose_rows(costs, 3);
    CHECK(chosen.size() == 3);
    CHECK(sum_of(costs, chosen) < least_sum(costs, 2));
    CHECK(sum_of(costs, chosen) <= 1.05 * least_sum(costs, 3));
    CHECK(sum_of(costs, choose_rows(costs, 12)) == Approx(sum_of(costs, choose_rows(costs, 6))));
}

TEST_CASE("A row of the best two is exchanged where three do without it") {
    const Costs costs{{2, 3, 5, 3}, {5, 1, 1, 5}, {1, 9, 9, 9}, {5, 9, 3, 2}, {9, 5, 1, 3}};
    CHECK(choose_rows(costs, 2) == std::vector<std::size_t>{0, 1});
    // With any third row these two cost 6.
    CHECK(sum_of(costs, choose_rows(costs, 3)) == 5);
}

TEST_CASE("No more rows are taken than help, and of equal ones the first") {
    CHECK(choose_rows({{2, 2}, {1, 1}, {1, 1}}, 3) == std::vector<std::size_t>{1});
    CHECK(choose_rows({{1, 5}, {5, 1}, {5, 1}}, 4) == std::vector<std::size_t>{0, 1});
    CHECK(choose_rows({}, 2).empty());
}

TEST_CASE("A row that cannot do some columns is no choice where another can do all") {
    constexpr double kNever = std::numeric_limits<double>::infinity();
    CHECK(choose_rows({{1, kNever}, {9, 9}}, 1) == std::vector<std::size_t>{1});
    CHECK(choose_rows({{1, kNever}, {kNever, 1}, {9, 9}}, 2) == std::vector<std::size_t>{0, 1});
}

TEST_CASE("Few kernels are those that lose least time over the m that were measured") {
    const Three three;
    CHECK(text(few_kernels(three.best, three.measured, 1, {})) == "c@1 c@64");
    CHECK(text(few_kernels(three.best, three.measured, 2, {})) == "a@1 b@64");
    CHECK(text(few_kernels(three.best, three.measured, 9, {})) == "a@1 b@64");
}

TEST_CASE("How often each m occurs decides which kernel stays") {
    const Three three;
    CHECK(text(few_kernels(three.best, three.measured, 1, {{1, 1000}, {64, 1}})) == "a@1 a@64");
    CHECK(text(few_kernels(three.best, three.measured, 1, {{1, 1}, {64, 1000}})) == "b@1 b@64");
    CHECK(text(few_kernels(three.best, three.measured, 1, {{1, 0.001}, {64, 1}})) == "b@1 b@64");
    // 1000 was not measured: c takes 22 µs × 125 tiles ÷ 8, b 20.
    CHECK(text(few_kernels(three.best, three.measured, 1, {{1000, 1}})) == "b@1 b@64");
}

TEST_CASE("A kernel that was not measured for an m is predicted there") {
    const std::vector<TableEntry> best{entry("a", 1, 10, 4), entry("b", 64, 20, 4)};
    std::vector<TableEntry> measured = best;
    // For m = 1 what it takes for 64: 20 µs, and a for 64 8 × 10 µs.
    CHECK(text(few_kernels(best, measured, 1, {})) == "b@64");
    CHECK(text(few_kernels(best, measured, 1, {{1, 8}, {64, 1}})) == "a@1");
    // Measured, it is slower than predicted.
    measured.push_back(entry("b", 1, 900, 0.04));
    CHECK(text(few_kernels(best, measured, 1, {})) == "a@1");
}

TEST_CASE("No kernel counts as faster than the winner of its cell") {
    const std::vector<TableEntry> best{
        entry("a", 1, 10, 4), entry("a", 16, 15, 4), entry("a", 64, 20, 4)};
    std::vector<TableEntry> measured = best;
    // A few samples, which lost to the grade of the winner's; for 16 as predicted by them 10 us.
    measured.push_back(entry("b", 1, 5, 8));
    measured.push_back(entry("b", 64, 21, 3.9));
    CHECK(text(few_kernels(best, measured, 1, {})) == "a@1 a@16 a@64");
}

TEST_CASE("Kernels are compared by their ratios, as winners are") {
    // Of another day, on which all took twice as long.
    const std::vector<TableEntry> best{entry("a", 1, 10, 4), entry("b", 64, 20, 4)};
    std::vector<TableEntry> measured = best;
    measured.push_back(entry("c", 1, 20, 3.99));
    measured.push_back(entry("c", 64, 40, 3.99));
    measured.push_back(entry("d", 1, 11, 3.5));
    measured.push_back(entry("d", 64, 22, 3.5));
    CHECK(text(few_kernels(best, measured, 1, {})) == "c@1 c@64");
}

TEST_CASE("The same parameters with other machine code are another kernel") {
    std::vector<TableEntry> best{entry("a", 1, 10, 4), entry("a", 64, 20, 4)};
    best[1].binary_hash = "newer";
    const auto chosen = few_kernels(best, best, 1, {});
    REQUIRE(chosen.size() == 1);
    CHECK(few_kernels(best, best, 2, {}).size() == 2);
}

TEST_CASE("The winners are kernels to choose from whatever else was measured") {
    const std::vector<TableEntry> best{entry("a", 1, 10, 4), entry("b", 64, 20, 4)};
    CHECK(text(few_kernels(best, {}, 2, {})) == "a@1 b@64");
    CHECK(text(few_kernels(best, {entry("a", 64, 80, 1)}, 2, {})) == "a@1 b@64");
}
