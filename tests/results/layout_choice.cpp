#include "results/layout_choice.hpp"

#include "results/dispatch_table.hpp"
#include "src/core/json.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <fmt/format.h>

using namespace fdkbench;

namespace {

constexpr auto kCanonical = Layout::kCanonical;
constexpr auto kFragment = Layout::kFragment;

/// A store with a run under way; every kernel that is added has code of its own.
struct Fixture {
    Fixture() { store.begin_run(fictional_run()); }
    void add(std::int64_t m, Layout layout, double ratio, const WeightFormat& format = {4, 64}) {
        Problem problem = small_problem(m);
        problem.format = format;
        add(candidate(++warps, problem), layout, ratio);
    }
    /// One that can be launched for other m, in tiles of m_tile rows.
    void add(std::int64_t m, Layout layout, double ratio, std::int64_t m_tile) {
        Candidate kernel = candidate(++warps, small_problem(m));
        kernel.plan.tiling = RowTiling{.m_tile = m_tile};
        add(std::move(kernel), layout, ratio);
    }
    void add(Candidate kernel, Layout layout, double ratio) {
        kernel.layout = layout;
        store.add(kernel, hash_of(kernel), correct(ratio));
    }
    [[nodiscard]] DispatchTable table() const { return read_table(store, ""); }
    std::int64_t warps = 0;
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

/// "m layout ratio" of every entry.
std::string text(const DispatchTable& table) {
    std::string text;
    for (const TableEntry& entry : table.entries) {
        text += fmt::format(
            "{} {} {:g}; ", entry.problem.shape.m, to_string(entry.layout), entry.ratio);
    }
    return text;
}

}  // namespace

TEST_CASE("All entries of a matrix read the layout with the greatest geometric mean") {
    Fixture fixture;
    fixture.add(1, kCanonical, 2);
    fixture.add(1, kFragment, 3);
    fixture.add(16, kCanonical, 2.5);
    fixture.add(16, kFragment, 2);
    fixture.add(16, kFragment, 1.5);  // not the best of its layout
    // √(3 · 2) > √(2 · 2.5)
    const DispatchTable table = fixture.table();
    CHECK(text(table) == "1 fragment 3; 16 fragment 2; ");
    REQUIRE(table.layout_costs.size() == 1);
    CHECK(table.layout_costs[0] ==
          "m=16 n=128 k=256 bits=4 group_size=64 bf16: layout canonical is 25.0 % faster here "
          "(ratio 2.500, in the table 2.000), but fragment is better for all m together");
    CHECK(value(fixture.store, "SELECT group_concat(ratio) FROM best") == "3.0,2.5");

    fixture.add(4, kCanonical, 2);
    fixture.add(4, kFragment, 1.5);
    CHECK(text(fixture.table()) == "1 canonical 2; 4 canonical 2; 16 canonical 2.5; ");
}

TEST_CASE("The mean is geometric: one great m does not outweigh several good ones") {
    Fixture fixture;
    fixture.add(1, kCanonical, 9);
    fixture.add(1, kFragment, 4);
    fixture.add(16, kCanonical, 1);
    fixture.add(16, kFragment, 4);
    CHECK(text(fixture.table()) == "1 fragment 4; 16 fragment 4; ");
}

TEST_CASE("A choice that costs an m up to 3 % is not worth a word") {
    Fixture fixture;
    fixture.add(1, kCanonical, 2);
    fixture.add(1, kFragment, 3);
    fixture.add(16, kCanonical, 2.05);
    fixture.add(16, kFragment, 2);
    CHECK(text(fixture.table()) == "1 fragment 3; 16 fragment 2; ");
    CHECK(fixture.table().layout_costs.empty());
}

TEST_CASE("A layout without a kernel for some m is not chosen, however fast it is elsewhere") {
    Fixture fixture;
    fixture.add(1, kCanonical, 2);
    fixture.add(1, kFragment, 9);
    fixture.add(16, kCanonical, 1);
    const DispatchTable table = fixture.table();
    CHECK(text(table) == "1 canonical 2; 16 canonical 1; ");
    REQUIRE(table.layout_costs.size() == 1);
    CHECK_THAT(table.layout_costs[0], ContainsSubstring("fragment is 350.0 % faster here"));
}

TEST_CASE("Where every layout lacks some m, the one with the most m is chosen") {
    Fixture fixture;
    fixture.add(1, kFragment, 9);
    fixture.add(4, kCanonical, 2);
    fixture.add(16, kCanonical, 1);
    const DispatchTable table = fixture.table();
    CHECK(text(table) == "4 canonical 2; 16 canonical 1; ");
    REQUIRE(table.layout_costs.size() == 1);
    CHECK_THAT(table.layout_costs[0],
               ContainsSubstring("m=1 ") &&
                   ContainsSubstring("left out: only layout fragment has a kernel"));
}

TEST_CASE(
    "A layout that was measured for fewer m is chosen where its kernels serve the others well") {
    Fixture fixture;
    fixture.add(1, kCanonical, 2, 1);
    fixture.add(16, kCanonical, 2, 16);
    fixture.add(64, kCanonical, 1, 64);
    fixture.add(1, kFragment, 3, 16);
    fixture.add(64, kFragment, 3, 64);
    // At 16, where none of it was measured, that for 1 needs one tile as well: 3 is predicted.
    CHECK(text(fixture.table()) == "1 fragment 3; 64 fragment 3; ");
    CHECK(fixture.table().layout_costs.empty());
}

TEST_CASE("A layout that is fast only where it was measured is not chosen") {
    Fixture fixture;
    fixture.add(1, kCanonical, 9, 1);
    fixture.add(1, kFragment, 3, 16);
    fixture.add(64, kFragment, 3, 64);
    // At 64 the canonical kernel takes 64 tiles: a ratio of 9 / 64 is predicted.
    const DispatchTable table = fixture.table();
    CHECK(text(table) == "1 fragment 3; 64 fragment 3; ");
    REQUIRE(table.layout_costs.size() == 1);
    CHECK_THAT(table.layout_costs[0], ContainsSubstring("is better for all m together"));
}

TEST_CASE("What a layout costs where none of its kernels was measured is said to be predicted") {
    Fixture fixture;
    fixture.add(1, kFragment, 3, 16);
    fixture.add(64, kFragment, 3, 64);
    fixture.add(1, kCanonical, 1, 1);
    fixture.add(20, kCanonical, 4, 1);
    const DispatchTable table = fixture.table();
    CHECK(text(table) == "1 fragment 3; 64 fragment 3; ");
    REQUIRE(table.layout_costs.size() == 1);
    CHECK_THAT(
        table.layout_costs[0],
        ContainsSubstring("33.3 % faster here (ratio 4.000, in the table a predicted 3.000)"));
}

TEST_CASE("Every matrix has a layout of its own, and the order of the table stays") {
    Fixture fixture;
    fixture.add(16, kFragment, 2, {8, 64});
    fixture.add(1, kFragment, 2, {8, 64});
    fixture.add(1, kCanonical, 2);
    fixture.add(1, kCanonical, 2, {4, 32});
    fixture.add(1, kFragment, 3, {4, 32});
    fixture.add(1, kCanonical, 1, {16, 0});
    const DispatchTable table = fixture.table();
    CHECK(text(table) ==
          "1 fragment 3; 1 canonical 2; 1 fragment 2; 16 fragment 2; 1 canonical 1; ");
    CHECK(table.layout_costs.empty());
    const Json entries = Json::parse(to_json_text(table))["entries"];
    CHECK(entries[0]["layout"] == "fragment");
    CHECK(entries[1]["layout"] == "canonical");
    CHECK_THAT(to_header(table), ContainsSubstring("\"fragment\""));
    CHECK_THAT(to_csv(table), ContainsSubstring(",fragment,"));
}

TEST_CASE("Equal layouts give the canonical one") {
    Fixture fixture;
    fixture.add(1, kFragment, 2);
    fixture.add(1, kCanonical, 2);
    CHECK(text(fixture.table()) == "1 canonical 2; ");
}
