#include "results/intervals.hpp"

#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <fmt/format.h>

#include <cmath>

using namespace fdkbench;

namespace {

TableEntry entry(std::int64_t m, double time_us, std::optional<RowTiling> tiling) {
    TableEntry entry;
    entry.problem = small_problem(m);
    entry.time_us = time_us;
    entry.plan.tiling = tiling;
    return entry;
}

RowTiling by(std::int64_t m_tile, std::int64_t most_m = RowTiling::kAnyNumber) {
    return {.m_tile = m_tile, .most_m = most_m};
}

/// "1-3 4-" of the entries' intervals.
std::string intervals(std::vector<TableEntry> entries) {
    set_intervals(entries);
    std::string text;
    for (const TableEntry& entry : entries) {
        text += fmt::format("{}{}-{}",
                            text.empty() ? "" : " ",
                            entry.first_m,
                            entry.last_m ? std::to_string(*entry.last_m) : "");
    }
    return text;
}

}  // namespace

TEST_CASE("A prediction is the time by tiles, at least that which was measured") {
    const TableEntry tiles = entry(24, 10, by(8));
    CHECK(predicted_us(tiles, 24) == 10);
    CHECK(predicted_us(tiles, 1) == 10);
    CHECK(predicted_us(tiles, 25) == Approx(10 * 4 / 3.0));
    CHECK(predicted_us(tiles, 32) == Approx(10 * 4 / 3.0));
    CHECK(predicted_us(tiles, 48) == Approx(20));
    CHECK(std::isinf(predicted_us(entry(24, 10, {}), 24)));
}

TEST_CASE("What one launch does not take is predicted as several") {
    const TableEntry few = entry(4, 3, by(4, 4));
    CHECK(predicted_us(few, 4) == 3);
    CHECK(predicted_us(few, 5) == 6);
    CHECK(predicted_us(few, 8) == 6);
    CHECK(predicted_us(few, 9) == 9);
}

TEST_CASE("One entry is for every m") {
    CHECK(intervals({entry(7, 10, by(8))}) == "1-");
    CHECK(intervals({}).empty());
}

TEST_CASE("Between two m the faster prediction decides, the smaller one where they are equal") {
    // 10 up to 8, 20 up to 16, 30 up to 24, …
    CHECK(intervals({entry(8, 10, by(8)), entry(64, 25, by(64))}) == "1-16 17-");
    CHECK(intervals({entry(8, 10, by(8)), entry(64, 20, by(64))}) == "1-16 17-");
    CHECK(intervals({entry(8, 10, by(8)), entry(64, 19, by(64))}) == "1-8 9-");
    CHECK(intervals({entry(8, 10, by(8)), entry(50, 99, by(64))}) == "1-48 49-");
    CHECK(intervals({entry(8, 10, by(16)), entry(64, 9, by(64))}) == "1-8 9-");
    CHECK(intervals({entry(1, 3, by(1, 1)), entry(4, 7, by(4, 4)), entry(16, 15, by(16))}) ==
          "1-2 3-8 9-");
}

TEST_CASE("With as many tiles as at the next entry's m, where another won, a kernel is not taken") {
    CHECK(intervals({entry(56, 10, by(8)), entry(64, 11, by(64))}) == "1-56 57-");
    CHECK(intervals({entry(56, 10, by(8)), entry(64, 99, by(64))}) == "1-56 57-");
    CHECK(intervals({entry(8, 10, by(8)), entry(64, 99, by(64))}) == "1-56 57-");
    CHECK(intervals({entry(50, 10, by(8)), entry(60, 99, by(64))}) == "1-56 57-");
    CHECK(intervals({entry(8, 10, by(1)), entry(16, 99, by(8))}) == "1-15 16-");
    // It has these tiles at its own m, too, where it was the fastest.
    CHECK(intervals({entry(49, 10, by(8)), entry(56, 11, by(64))}) == "1-55 56-");
    CHECK(intervals({entry(49, 10, by(8)), entry(56, 9, by(64))}) == "1-49 50-");
    // Several launches were not compared there.
    CHECK(intervals({entry(4, 10, by(4, 4)), entry(8, 25, by(8))}) == "1-7 8-");
}

TEST_CASE("An entry whose plan does not follow m is for its own only") {
    CHECK(intervals({entry(4, 10, {}), entry(16, 20, {})}) == "4-4 16-16");
    CHECK(intervals({entry(4, 10, {}), entry(16, 20, by(16))}) == "4-4 5-");
    CHECK(intervals({entry(4, 10, by(8)), entry(16, 20, {})}) == "1-15 16-16");
    CHECK(intervals({entry(1, 5, by(1)), entry(4, 10, {}), entry(16, 20, by(16))}) == "1-3 4-4 5-");
}

TEST_CASE("Intervals are gapless, hold their own m, and no neighbour is predicted to be faster") {
    std::vector<TableEntry> entries{entry(1, 5, by(1, 1)),
                                    entry(2, 6, by(2, 2)),
                                    entry(8, 9, by(8)),
                                    entry(24, 14, by(16)),
                                    entry(100, 31, by(64)),
                                    entry(512, 90, by(1))};
    set_intervals(entries);
    std::int64_t next = 1;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::int64_t own = entries[i].problem.shape.m;
        CHECK(entries[i].first_m == next);
        CHECK(own >= next);
        const bool is_last = i + 1 == entries.size();
        CHECK(is_last == !entries[i].last_m.has_value());
        const std::int64_t last = entries[i].last_m.value_or(2000);
        CHECK(own <= last);
        for (std::int64_t m = own + 1; m <= last && !is_last; ++m) {
            CAPTURE(own, m);
            CHECK(predicted_us(entries[i], m) <= predicted_us(entries[i + 1], m));
        }
        for (std::int64_t m = next; m < own && i > 0; ++m) {
            CAPTURE(own, m);
            CHECK(predicted_us(entries[i], m) < predicted_us(entries[i - 1], m));
        }
        next = last + 1;
    }
}
