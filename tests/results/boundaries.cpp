#include "results/boundaries.hpp"

#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <algorithm>

using namespace fdkbench;

namespace {

/// An entry of the kernel "NAME m_tile=…".
TableEntry entry(const std::string& name,
                 std::int64_t m,
                 std::int64_t m_tile,
                 std::int64_t most_m = RowTiling::kAnyNumber) {
    TableEntry entry;
    entry.problem = small_problem(m);
    entry.family = name;
    entry.params.set("m_tile", m_tile);
    entry.plan.tiling = RowTiling{.m_tile = m_tile, .most_m = most_m};
    return entry;
}

TableEntry without_tiling(TableEntry entry) {
    entry.plan.tiling.reset();
    return entry;
}

std::vector<std::int64_t> crossing_m(std::vector<TableEntry> entries) {
    DispatchTable table;
    table.entries = std::move(entries);
    std::vector<std::int64_t> found;
    for (const Problem& problem : crossings(table)) {
        CHECK(matrix_of(problem) == matrix_of(small_problem()));
        found.push_back(problem.shape.m);
    }
    return found;
}

using Numbers = std::vector<std::int64_t>;

/// Measures what crossings() gives until it gives nothing; `low` is the fastest up to `last_m`,
/// `high` beyond. Gives the m of all entries.
Numbers refined(const TableEntry& low, const TableEntry& high, std::int64_t last_m) {
    std::vector<TableEntry> entries{low, high};
    for (Numbers more = crossing_m(entries); !more.empty(); more = crossing_m(entries)) {
        REQUIRE(more.size() == 1);
        TableEntry added = more[0] <= last_m ? low : high;
        added.problem.shape.m = more[0];
        REQUIRE(std::ranges::count(entries, added.problem, &TableEntry::problem) == 0);
        entries.push_back(added);
        std::ranges::sort(entries, {}, &TableEntry::problem);
    }
    Numbers all;
    for (const TableEntry& one : entries) {
        all.push_back(one.problem.shape.m);
    }
    return all;
}

}  // namespace

TEST_CASE("A crossing is the middle of the whole tiles of the lower entry between two m") {
    CHECK(crossing_m({entry("a", 8, 8), entry("b", 64, 64)}) == Numbers{32});
    CHECK(crossing_m({entry("a", 16, 16), entry("b", 256, 64)}) == Numbers{128});
    CHECK(crossing_m({entry("a", 64, 64), entry("b", 256, 8)}) == Numbers{128});
    CHECK(crossing_m({entry("a", 64, 64), entry("b", 257, 8)}) == Numbers{192});
    CHECK(crossing_m({entry("a", 1, 1), entry("b", 4, 8)}) == Numbers{2});
    // The own m of an entry need not be whole tiles: one of 20 has 3 tiles of 8, the last m is 24.
    CHECK(crossing_m({entry("a", 20, 8), entry("b", 30, 8)}) == Numbers{24});
    CHECK(crossing_m({entry("a", 20, 16), entry("b", 100, 8)}) == Numbers{64});
}

TEST_CASE("Between neighbouring tiles there is no crossing") {
    CHECK(crossing_m({entry("a", 8, 8), entry("b", 16, 16)}).empty());
    CHECK(crossing_m({entry("a", 56, 8), entry("b", 64, 64)}).empty());
    CHECK(crossing_m({entry("a", 56, 8), entry("b", 65, 64)}) == Numbers{64});
    CHECK(crossing_m({entry("a", 1, 1), entry("b", 2, 8)}).empty());
    CHECK(crossing_m({entry("a", 17, 8), entry("b", 24, 8)}).empty());
}

TEST_CASE("A tile that is wider than the gap leaves no crossing") {
    CHECK(crossing_m({entry("a", 4, 64), entry("b", 32, 8)}).empty());
    CHECK(crossing_m({entry("a", 4, 64), entry("b", 64, 8)}).empty());
    CHECK(crossing_m({entry("a", 4, 64), entry("b", 65, 8)}) == Numbers{64});
    CHECK(crossing_m({entry("a", 65, 64), entry("b", 128, 8)}).empty());
}

TEST_CASE("Equal kernels, or one that does not follow m, leave no crossing") {
    CHECK(crossing_m({entry("a", 8, 8), entry("a", 64, 8)}).empty());
    CHECK(crossing_m({entry("a", 8, 8), entry("a", 64, 16)}) == Numbers{32});
    CHECK(crossing_m({without_tiling(entry("a", 8, 8)), entry("b", 64, 8)}).empty());
    CHECK(crossing_m({entry("a", 8, 8), without_tiling(entry("b", 64, 8))}).empty());
    CHECK(crossing_m({entry("a", 8, 8)}).empty());
    CHECK(crossing_m({}).empty());
}

TEST_CASE("Where one launch of the lower entry does not take so many there is no crossing") {
    CHECK(crossing_m({entry("a", 1, 1, 1), entry("b", 64, 8)}).empty());
    CHECK(crossing_m({entry("a", 5, 8, 8), entry("b", 64, 8)}) == Numbers{8});
    CHECK(crossing_m({entry("a", 8, 8, 40), entry("b", 640, 8)}) == Numbers{24});
}

TEST_CASE("Each boundary of each matrix has a crossing, and matrices have none between them") {
    DispatchTable table;
    for (const std::int64_t n : {128, 192}) {
        for (TableEntry added :
             {entry("a", 8, 8), entry("b", 32, 16), entry("b", 64, 16), entry("c", 128, 64)}) {
            added.problem.shape.n = n;
            table.entries.push_back(added);
        }
    }
    std::vector<Shape> found;
    for (const Problem& problem : crossings(table)) {
        CHECK(problem.format == small_problem().format);
        found.push_back(problem.shape);
    }
    CHECK(found ==
          std::vector<Shape>{{16, 128, 256}, {96, 128, 256}, {16, 192, 256}, {96, 192, 256}});
}

TEST_CASE("Halving ends within a tile of the lower entry, after few measurements") {
    CHECK(refined(entry("a", 8, 8), entry("b", 64, 64), 45) == Numbers{8, 32, 40, 48, 64});
    CHECK(refined(entry("a", 8, 8), entry("b", 64, 64), 63) == Numbers{8, 32, 48, 56, 64});
    CHECK(refined(entry("a", 8, 8), entry("b", 64, 64), 8) == Numbers{8, 16, 32, 64});
    for (const std::int64_t m_tile : {1, 8, 16, 64}) {
        for (std::int64_t last_m = 1; last_m < 512; last_m += 7) {
            const Numbers all = refined(entry("a", 1, m_tile), entry("b", 512, 16), last_m);
            CAPTURE(m_tile, last_m);
            CHECK(all.size() <= 2 + 9);
            // Entries on both sides of the change.
            const auto beyond = std::ranges::upper_bound(all, last_m);
            REQUIRE(beyond != all.begin());
            REQUIRE(beyond != all.end());
            CHECK(*beyond - *std::prev(beyond) <= m_tile);
        }
    }
}

TEST_CASE("Finalists are the kernels that win an m, in either layout, once for each matrix") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    store.begin_run(fictional_run());
    Problem other = small_problem(4);
    other.shape.n = 192;
    const auto add = [&](std::int64_t warps, const Problem& problem, double ratio, Layout layout) {
        Candidate kernel = candidate(warps, problem);
        kernel.layout = layout;
        kernel.compile_key += std::string(to_string(layout));
        store.add(kernel, hash_of(kernel), correct(ratio));
    };
    for (const std::int64_t m : {1, 4}) {
        add(1, small_problem(m), 2, Layout::kCanonical);
        add(2, small_problem(m), m == 1 ? 1 : 3, Layout::kCanonical);
        add(4, small_problem(m), 0.5, Layout::kCanonical);
        add(8, small_problem(m), 1.5, Layout::kFragment);
    }
    add(1, other, 1, Layout::kCanonical);
    const DispatchTable table = read_table(store, "");

    std::vector<std::pair<std::int64_t, std::int64_t>> found;  // n, warps
    for (const TableEntry& finalist : finalists(store, table)) {
        found.emplace_back(finalist.problem.shape.n, finalist.params.number("warps"));
    }
    std::ranges::sort(found);
    CHECK(found == std::vector<std::pair<std::int64_t, std::int64_t>>{
                       {128, 1}, {128, 2}, {128, 8}, {192, 1}});
}

TEST_CASE("First crossings are those of the given problems, whatever was measured at other m") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    store.begin_run(fictional_run());
    const auto add = [&](std::int64_t m, std::int64_t m_tile, double ratio, Layout layout) {
        Candidate kernel = candidate(m_tile, small_problem(m));
        kernel.plan.tiling = RowTiling{.m_tile = m_tile};
        kernel.layout = layout;
        kernel.compile_key += std::string(to_string(layout));
        store.add(kernel, hash_of(kernel), correct(ratio));
    };
    const auto first_m = [&](const std::vector<std::int64_t>& swept) {
        std::vector<Problem> problems;
        for (const std::int64_t m : swept) {
            problems.push_back(small_problem(m));
        }
        Numbers found;
        for (const Problem& problem : first_crossings(store, read_table(store, ""), problems)) {
            found.push_back(problem.shape.m);
        }
        return found;
    };
    add(8, 8, 3, Layout::kCanonical);
    add(64, 64, 3, Layout::kCanonical);
    add(8, 4, 2, Layout::kFragment);
    add(64, 32, 2, Layout::kFragment);
    CHECK(first_m({8, 64}) == Numbers{32});
    CHECK(first_m({8, 32, 64}) == Numbers{32});
    CHECK(first_m({8}).empty());

    add(40, 16, 3, Layout::kCanonical);
    add(32, 32, 3, Layout::kCanonical);
    CHECK(first_m({8, 64}) == Numbers{32});
    CHECK(first_m({8, 40, 64}) == Numbers{24, 48});
    // Another layout is the best of all m together, but not of these two.
    add(32, 16, 100, Layout::kFragment);
    add(40, 16, 100, Layout::kFragment);
    REQUIRE(read_table(store, "").entries.front().layout == Layout::kFragment);
    CHECK(first_m({8, 64}) == Numbers{32});
    CHECK(first_m({8, 40, 64}) == Numbers{24, 48});
}
