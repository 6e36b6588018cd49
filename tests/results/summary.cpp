#include "results/summary.hpp"

#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

using namespace fdkbench;

TEST_CASE("The summary has the best of each problem, in the order of the problems") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    store.begin_run(fictional_run());
    for (const int m : {1, 4, 16}) {
        for (const int warps : {1, 2}) {
            const Candidate kernel = candidate(warps, small_problem(m));
            store.add(kernel, hash_of(kernel), correct(m * (1 + 0.25 * warps)));
        }
    }
    const RunRecord run = fictional_run();
    const auto rows = summary(
        store, run.device, run.policy, {small_problem(16), small_problem(2), small_problem(1)});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].problem == small_problem(16));
    CHECK(rows[0].ratio == 24);
    CHECK(rows[0].params == candidate(2).params);
    CHECK(rows[0].baseline_us == 20);
    CHECK(rows[0].baseline_first_us == 21);
    CHECK(rows[0].nrmse == 0.002);
    CHECK(rows[1].problem == small_problem(1));

    MeasuringPolicy other;
    other.seed = 5;
    CHECK(summary(store, run.device, other, {small_problem(1)}).empty());
    CHECK(summary(store, fictional_run("Other").device, run.policy, {small_problem(1)}).empty());
    CHECK(best_overview(store).rows.size() == 3);
}
