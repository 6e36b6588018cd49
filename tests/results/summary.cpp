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

TEST_CASE("A ratio without an interval has none in the summary") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    const RunRecord run = fictional_run();
    store.begin_run(run);
    store.add(candidate(4), "hash", single_sample(2));
    const auto rows = summary(store, run.device, run.policy, {small_problem()});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].ratio == 2);
    CHECK_FALSE(rows[0].ratio_lo.has_value());
    CHECK_FALSE(rows[0].ratio_hi.has_value());
}

TEST_CASE("The overview says which policy a row belongs to") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    RunRecord run = fictional_run();
    store.begin_run(run);
    store.add(candidate(4), "hash", correct(2));
    const std::string first = run.policy.key();
    run.policy.seed = 5;
    store.begin_run(run);
    store.add(candidate(4), "hash", correct(3));
    const QueryResult overview = best_overview(store);
    CHECK(overview.columns.back() == "policy");
    REQUIRE(overview.rows.size() == 2);
    CHECK(overview.rows[0].back().text != overview.rows[1].back().text);
    CHECK((overview.rows[0].back().text == first || overview.rows[1].back().text == first));
}
