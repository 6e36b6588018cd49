#include "results/explanation.hpp"

#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

using namespace fdkbench;

namespace {

/// Two m of one matrix; kernels follow m by tiles of 16 rows.
struct Fixture {
    Fixture() {
        store.begin_run(fictional_run());
        add(1, 1, 4, Layout::kCanonical, 64);
        add(2, 1, 3.99, Layout::kCanonical, 128);
        add(4, 1, 2, Layout::kCanonical);
        add(8, 1, 5, Layout::kFragment);
        add(1, 64, 3, Layout::kCanonical);
        add(4, 64, 6, Layout::kCanonical);
    }
    void add(int warps, std::int64_t m, double ratio, Layout layout, int registers = 64) {
        Candidate kernel = candidate(warps, small_problem(m));
        kernel.layout = layout;
        kernel.plan.steps.front().grid = {1, 1, 1};
        kernel.plan.tiling = RowTiling{.m_tile = 16};
        store.add(kernel, hash_of(kernel), correct(ratio, registers));
    }
    [[nodiscard]] Explanation why(std::int64_t m, const TableRules& rules = {}) const {
        const DispatchTable table = read_table(store, "", rules);
        const TableEntry* entry = entry_for(table, small_problem(m));
        REQUIRE(entry != nullptr);
        return explain(store, table, rules, small_problem(m), *entry);
    }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

std::int64_t warps(const TableEntry& entry) {
    return entry.params.number("warps");
}

}  // namespace

TEST_CASE("An m that was measured is explained by its measurements") {
    const Fixture fixture;
    const Explanation why = fixture.why(1);
    CHECK(warps(why.entry) == 1);
    CHECK(why.time_us == 5);
    CHECK(why.baseline_us == 20);
    REQUIRE(why.tied.size() == 1);
    CHECK(warps(why.tied[0]) == 2);
    REQUIRE(why.runner_up);
    CHECK(warps(*why.runner_up) == 2);
    REQUIRE(why.other_layout);
    CHECK(warps(*why.other_layout) == 8);
    CHECK(why.other_layout->layout == Layout::kFragment);
    CHECK_FALSE(why.without_rules);

    const Explanation far = fixture.why(64);
    CHECK(warps(far.entry) == 4);
    CHECK(far.tied.empty());
    CHECK(warps(far.runner_up.value()) == 1);
    CHECK_FALSE(far.other_layout);
}

TEST_CASE("An m that was not is predicted by the entry of another") {
    const Fixture fixture;
    const Explanation why = fixture.why(70);
    CHECK(why.entry.problem.shape.m == 64);
    CHECK(why.time_us == Approx(20.0 / 6 * 5 / 4));
    CHECK_FALSE(why.baseline_us);
    REQUIRE(why.neighbours.size() == 1);
    CHECK(why.neighbours[0].entry.problem.shape.m == 1);
    CHECK(why.neighbours[0].time_us == Approx(5 * 5));
}

TEST_CASE("With rules it is explained what serves without them") {
    const Fixture fixture;
    const TableRules one{.max_kernels = 1, .weights = {{64, 1}}};
    const Explanation why = fixture.why(1, one);
    CHECK(warps(why.entry) == 4);
    CHECK(why.time_us == 10);
    CHECK(why.tied.empty());
    CHECK(warps(why.runner_up.value()) == 1);
    REQUIRE(why.without_rules);
    CHECK(warps(why.without_rules->entry) == 1);
    CHECK(why.without_rules->time_us == 5);
    CHECK_FALSE(fixture.why(64, one).without_rules);
}

TEST_CASE("The entry that is explained is the one that the table has for each m") {
    const Fixture fixture;
    const DispatchTable table = read_table(fixture.store, "");
    for (std::int64_t m = 1; m < 200; ++m) {
        int serving = 0;
        for (const TableEntry& entry : table.entries) {
            if (entry.first_m <= m && (!entry.last_m || m <= *entry.last_m)) {
                ++serving;
                CHECK(entry_for(table, small_problem(m)) == &entry);
            }
        }
        CHECK(serving == 1);
    }
    Problem other = small_problem(1);
    other.shape.n += 1;
    CHECK(entry_for(table, other) == nullptr);
    other = small_problem(1);
    other.format.bits = 2;
    CHECK(entry_for(table, other) == nullptr);
    other = small_problem(1);
    other.type = ElementType::kFp16;
    CHECK(entry_for(table, other) == nullptr);
}

TEST_CASE("The nearest matrices are those most like it") {
    DispatchTable table;
    const auto add = [&](const Problem& problem) {
        table.entries.emplace_back().problem = problem;
    };
    const Problem asked{{1, 4000, 4000}, {4, 64}, ElementType::kBf16};
    const Problem twice{{0, 8192, 4096}, {4, 64}, ElementType::kBf16};
    const Problem bits{{0, 4096, 4096}, {2, 64}, ElementType::kBf16};
    const Problem type{{0, 4096, 4096}, {4, 64}, ElementType::kFp16};
    const Problem far{{0, 64, 64}, {4, 64}, ElementType::kBf16};
    const Problem plain{{0, 4096, 4096}, {16, 0}, ElementType::kBf16};
    for (Problem matrix : {far, plain, twice, bits, type}) {
        for (const std::int64_t m : {1, 16}) {
            matrix.shape.m = m;
            add(matrix);
        }
    }
    CHECK(nearest_matrices(table, asked, 3) == std::vector<Problem>{bits, type, twice});
    CHECK(nearest_matrices(table, asked, 9).size() == 5);
    CHECK(nearest_matrices({}, asked, 3).empty());
}
