#include "src/cli/boundary_cells.hpp"

#include "tests/catch.hpp"
#include "tests/kernels/points.hpp"
#include "tests/results/fixture.hpp"
#include "tuner/search_space.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace fdkbench;

namespace {

using Keys = std::multiset<std::string>;  // of candidates

Problem problem(std::int64_t m) {
    return {{m, 4096, 4096}, {4, 64}, ElementType::kBf16};
}

SweepOptions sweep_of(const std::vector<std::int64_t>& all_m) {
    SweepOptions sweep;
    sweep.device = testing::h100();
    sweep.device.key = sweep.device.name;
    sweep.compiler = fictional_run().compiler;
    for (const std::int64_t m : all_m) {
        sweep.problems.push_back(problem(m));
    }
    return sweep;
}

Keys keys_of(const CellPlan& cell) {
    Keys keys;
    for (const Candidate& candidate : cell.candidates) {
        keys.insert(candidate.compile_key);
    }
    return keys;
}

/// What a sweep of this m would try.
Keys swept_keys(std::int64_t m, const SweepOptions& sweep) {
    return keys_of(enumerate_candidates(problem(m), chosen_families(sweep), sweep));
}

/// A sweep of m=8 and m=64 of which another kernel won each.
struct Fixture {
    Fixture() {
        RunRecord run = fictional_run();
        run.device = sweep.device;
        store.begin_run(run);
        low = add(8, "lut_mma", 8);
        high = add(64, "lut_mma", 64);
    }
    /// Makes a kernel with such tiles the winner; returns its compile key.
    std::string add(std::int64_t m, const std::string& family, std::int64_t m_tile) {
        const CellPlan cell = enumerate_candidates(problem(m), chosen_families(sweep), sweep);
        const auto found = std::ranges::find_if(cell.candidates, [&](const Candidate& candidate) {
            return candidate.family == family && candidate.plan.tiling &&
                   candidate.plan.tiling->m_tile == m_tile;
        });
        REQUIRE(found != cell.candidates.end());
        store.add(*found, found->compile_key, correct(2));
        return found->compile_key;
    }
    [[nodiscard]] std::map<std::int64_t, Keys> cells(const SweepOptions& options) const {
        std::map<std::int64_t, Keys> found;
        for (const CellPlan& cell : boundary_cells(store, options)) {
            CHECK(cell.skipped.empty());
            found[cell.problem.shape.m] = keys_of(cell);
        }
        return found;
    }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    SweepOptions sweep = sweep_of({8, 64});
    std::string low;
    std::string high;
};

Keys joined(Keys keys, const Keys& more) {
    for (const std::string& key : more) {
        if (!keys.contains(key)) {
            keys.insert(key);
        }
    }
    return keys;
}

}  // namespace

TEST_CASE("The first crossing between swept m has all of a sweep's candidates, others finalists") {
    Fixture fixture;
    const Keys two{fixture.low, fixture.high};
    const Keys all = joined(swept_keys(32, fixture.sweep), two);
    REQUIRE(all.size() > 10);
    CHECK(fixture.cells(fixture.sweep) ==
          std::map<std::int64_t, Keys>{{8, two}, {32, all}, {64, two}});

    // Once it has a winner it is no crossing, and still the same is measured there.
    const Keys three{fixture.low, fixture.high, fixture.add(32, "lut_mma", 32)};
    REQUIRE(three.size() == 3);
    CHECK(fixture.cells(fixture.sweep) ==
          std::map<std::int64_t, Keys>{
              {8, three}, {16, three}, {32, joined(all, three)}, {64, three}});
}

TEST_CASE("Between m of which another sweep measured one there are finalists only") {
    Fixture fixture;
    const Keys two{fixture.low, fixture.high};
    CHECK(fixture.cells(sweep_of({8})) ==
          std::map<std::int64_t, Keys>{{8, two}, {32, two}, {64, two}});
}

TEST_CASE("At a first crossing --include is asked for a sweep's candidates, not for finalists") {
    const Fixture fixture;
    const Keys two{fixture.low, fixture.high};
    SweepOptions some = fixture.sweep;
    some.include = "^fragment_mma$";
    const Keys of_family = swept_keys(32, some);
    REQUIRE_FALSE(of_family.empty());
    CHECK(of_family.size() + 2 == joined(of_family, two).size());
    const auto cells = fixture.cells(some);
    CHECK(cells.at(32) == joined(of_family, two));
    CHECK(cells.at(8) == two);
}

TEST_CASE("A first crossing where a finalist cannot be built has no candidates and says why") {
    const Fixture fixture;
    run_sql(fixture.folder / "a.db", "UPDATE candidate SET params = '{\"m_tile\":8}'");
    for (const CellPlan& cell : boundary_cells(fixture.store, fixture.sweep)) {
        CHECK(cell.candidates.empty());
        CHECK(cell.skipped.size() == 1);
    }
}
