#include "results/store.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <cmath>

using namespace fdkbench;

namespace {

/// A store with a run under way.
struct Fixture {
    Fixture() { store.begin_run(fictional_run()); }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

}  // namespace

TEST_CASE("A row comes back with every value that was stored") {
    Fixture fixture;
    const Candidate kernel = candidate(4);
    fixture.store.add(kernel, hash_of(kernel), correct(2));

    const QueryResult rows = fixture.store.query(
        "SELECT m, n, k, bits, group_size, type, device, family, params, status, time_us, ratio,"
        " ratio_lo, ratio_hi, baseline_us, baseline_first_us, gb_s, tflop_s, floor_us, floor_pct,"
        " rmse, nrmse, rmse_original, nrmse_original, repeatable, registers, shared_bytes,"
        " local_bytes, samples FROM candidates_flat");
    REQUIRE(rows.rows.size() == 1);
    std::string line;
    for (const auto& cell : rows.rows[0]) {
        line += cell.text.value_or("NULL") + " ";
    }
    CHECK(line ==
          "1 128 256 4 64 bf16 Fictional 100 lut_mv {\"warps\":4,\"decode\":\"prmt\"} correct 10.0 "
          "2.0 1.98 2.02 20.0 21.0 1000.0 1.5 5.0 50.0 0.001 0.002 0.01 0.1 1 64 1024 0 3 ");
    CHECK(value(fixture.store, "SELECT json_extract(params, '$.warps') FROM candidates_flat") ==
          "4");
    CHECK(value(fixture.store,
                "SELECT group_concat(block || ':' || time_us || ':' || baseline_before_us || ':' ||"
                " baseline_after_us) FROM sample") ==
          "0:10.0:20.0:20.5,1:11.0:20.0:20.5,2:12.0:20.0:20.5");
    CHECK(value(fixture.store, "SELECT compiler || driver || commit_id || opened_as FROM run") ==
          "nvrtc 13.0580.1abcdefcuda:0");
    CHECK(value(fixture.store, "SELECT measured_at LIKE '20__-__-__T__:__:__.___Z' FROM best") ==
          "1");
}

TEST_CASE("A row of before plans had a tiling is the same kernel, and learns it") {
    Fixture fixture;
    const Candidate old = candidate(4);
    fixture.store.add(old, hash_of(old), correct(2));
    Candidate tiled = old;
    tiled.plan.tiling = RowTiling{.m_tile = 8, .most_m = 64};
    tiled.plan.steps[0].grid_per_tile = {1, 0, 0};
    CHECK(fixture.store.measured(tiled, hash_of(old)));
    CHECK_FALSE(fixture.store.measured(tiled, "other"));
    const std::string tile = "SELECT json_extract(launch, '$.tiling.m_tile') FROM best";
    CHECK(value(fixture.store, tile) == "NULL");

    fixture.store.learn_tiling(tiled, "other");
    fixture.store.learn_tiling(old, hash_of(old));
    CHECK(value(fixture.store, tile) == "NULL");
    fixture.store.learn_tiling(tiled, hash_of(old));
    CHECK(value(fixture.store, tile) == "8");
    CHECK(fixture.store.measured(tiled, hash_of(old)));
    CHECK(value(fixture.store, "SELECT count(*) FROM candidate") == "1");
    fixture.store.learn_tiling(tiled, hash_of(old));
    CHECK(value(fixture.store, "SELECT count(*) FROM measurement") == "1");
}

TEST_CASE("Measuring again replaces a row of before plans had a tiling") {
    Fixture fixture;
    Candidate kernel = candidate(4);
    fixture.store.add(kernel, hash_of(kernel), correct(2));
    kernel.plan.tiling = RowTiling{};
    fixture.store.add(kernel, hash_of(kernel), correct(3));
    CHECK(value(fixture.store, "SELECT group_concat(ratio) FROM measurement") == "3.0");
    fixture.store.learn_tiling(kernel, hash_of(kernel));
    CHECK(value(fixture.store, "SELECT count(*) FROM measurement") == "1");
}

TEST_CASE("What was never obtained is NULL") {
    Fixture fixture;
    fixture.store.add(
        candidate(4), std::nullopt, failed(CandidateStatus::kCompile, "no such type"));
    CHECK(value(fixture.store,
                "SELECT count(*) FROM measurement WHERE status = 'compile' AND message = 'no such"
                " type' AND time_us IS NULL AND ratio IS NULL AND rmse IS NULL AND repeatable IS"
                " NULL AND registers IS NULL AND samples = 0") == "1");
    CHECK(value(fixture.store, "SELECT binary_hash FROM candidate") == "NULL");
}

TEST_CASE("The same kernel in the same cell is replaced with its samples") {
    Fixture fixture;
    const Candidate kernel = candidate(4);
    fixture.store.add(kernel, hash_of(kernel), correct(2, 64, 5));
    fixture.store.add(kernel, hash_of(kernel), correct(3, 64, 2));
    CHECK(value(fixture.store, "SELECT count(*) || ' ' || max(ratio) FROM measurement") == "1 3.0");
    CHECK(value(fixture.store, "SELECT count(*) FROM sample") == "2");

    SECTION("even under other parameters that compile to the same code") {
        Candidate twin = kernel;
        twin.params.set("unroll", std::int64_t{2});
        twin.compile_key = "another";
        fixture.store.add(twin, hash_of(kernel), correct(4));
        CHECK(value(fixture.store, "SELECT count(*) || params FROM candidates_flat") ==
              "1{\"warps\":4,\"decode\":\"prmt\",\"unroll\":2}");
    }
    SECTION("but not in another cell or with another launch") {
        const Candidate other_cell = candidate(4, small_problem(16));
        fixture.store.add(other_cell, hash_of(kernel), correct(2));
        Candidate other_launch = kernel;
        other_launch.plan.steps[0].cluster = 2;
        fixture.store.add(other_launch, hash_of(kernel), correct(2));
        CHECK(value(fixture.store, "SELECT count(*) FROM measurement") == "3");
    }
}

TEST_CASE("A kernel that now compiles replaces its failed compilation") {
    Fixture fixture;
    fixture.store.add(candidate(4), std::nullopt, failed(CandidateStatus::kCompile));
    fixture.store.add(candidate(4), "hash", correct(2));
    CHECK(value(fixture.store, "SELECT group_concat(status) FROM measurement") == "correct");
}

TEST_CASE("A kernel is measured only in its own cell, device and policy") {
    Fixture fixture;
    const Candidate kernel = candidate(4);
    CHECK_FALSE(fixture.store.measured(kernel, hash_of(kernel)));
    fixture.store.add(kernel, hash_of(kernel), failed(CandidateStatus::kCorrectness));
    CHECK(fixture.store.measured(kernel, hash_of(kernel)));

    CHECK_FALSE(fixture.store.measured(kernel, "other code"));
    CHECK_FALSE(fixture.store.measured(kernel, std::nullopt));
    CHECK_FALSE(fixture.store.measured(candidate(4, small_problem(2)), hash_of(kernel)));
    Candidate other_launch = kernel;
    other_launch.plan.workspace_bytes = 4;
    CHECK_FALSE(fixture.store.measured(other_launch, hash_of(kernel)));
    Candidate other_name = kernel;
    other_name.family = "renamed";
    CHECK(fixture.store.measured(other_name, hash_of(kernel)));

    RunRecord other_policy = fictional_run();
    other_policy.policy.cache_bytes_factor = 7;
    fixture.store.begin_run(other_policy);
    CHECK_FALSE(fixture.store.measured(kernel, hash_of(kernel)));
    fixture.store.begin_run(fictional_run("Another"));
    CHECK_FALSE(fixture.store.measured(kernel, hash_of(kernel)));
    fixture.store.begin_run(fictional_run());
    CHECK(fixture.store.measured(kernel, hash_of(kernel)));
}

TEST_CASE("A kernel that was measured on weights in another layout was not measured") {
    Fixture fixture;
    const Candidate misread = candidate(4);
    fixture.store.add(misread, hash_of(misread), failed(CandidateStatus::kCorrectness));
    const Candidate elsewhere = candidate(8);
    fixture.store.add(elsewhere, hash_of(elsewhere), correct(2));
    Candidate kernel = misread;
    kernel.layout = Layout::kFragment;
    CHECK_FALSE(fixture.store.measured(kernel, hash_of(kernel)));

    SECTION("in its own cell") {
        fixture.store.add(kernel, hash_of(kernel), correct(3));
    }
    SECTION("in every cell") {
        Candidate larger = candidate(4, small_problem(16));
        larger.plan = kernel.plan;
        larger.layout = Layout::kFragment;
        fixture.store.add(larger, hash_of(larger), correct(3));
        CHECK_FALSE(fixture.store.measured(kernel, hash_of(kernel)));
    }
    CHECK(value(fixture.store,
                "SELECT group_concat(status || ' ' || layout) FROM"
                " (SELECT * FROM candidates_flat ORDER BY measurement_id)") ==
          "correct canonical,correct fragment");
    CHECK_FALSE(fixture.store.measured(misread, hash_of(misread)));
}

TEST_CASE("A failed compilation is known by its compile key") {
    Fixture fixture;
    const Candidate kernel = candidate(4);
    fixture.store.add(kernel, std::nullopt, failed(CandidateStatus::kCompile));
    CHECK(fixture.store.measured(kernel, std::nullopt));
    Candidate changed = kernel;
    changed.compile_key = "changed source";
    CHECK_FALSE(fixture.store.measured(changed, std::nullopt));
    // A compiler that was killed has not said that the kernel cannot be compiled.
    fixture.store.add(changed, std::nullopt, failed(CandidateStatus::kTimeout));
    CHECK_FALSE(fixture.store.measured(changed, std::nullopt));
}

TEST_CASE("A binary is remembered by its compile key") {
    Fixture fixture;
    CHECK_FALSE(fixture.store.binary_hash("key"));
    fixture.store.remember_binary("key", "first");
    fixture.store.remember_binary("key", "second");
    CHECK(fixture.store.binary_hash("key") == "second");
}

TEST_CASE("A run says when it ended") {
    Fixture fixture;
    CHECK(value(fixture.store, "SELECT ended_at FROM run") == "NULL");
    fixture.store.end_run(1.5);
    CHECK(value(fixture.store, "SELECT ended_at >= started_at FROM run") == "1");
    CHECK_THROWS_AS(fixture.store.add(candidate(4), "hash", correct(2)), std::logic_error);
}

TEST_CASE("A row that the database refuses leaves nothing behind") {
    Fixture fixture;
    Problem problem = small_problem();
    problem.format.bits = 3;
    CHECK_THROWS_WITH(fixture.store.add(candidate(4, problem), "hash", correct(2)),
                      ContainsSubstring("CHECK constraint failed"));
    Measurement measurement = correct(2);
    measurement.samples.back().time_us = std::nan("");
    CHECK_THROWS_WITH(fixture.store.add(candidate(4), "hash", measurement),
                      ContainsSubstring("NOT NULL constraint failed"));
    for (const char* table : {"cell", "candidate", "measurement", "sample"}) {
        CHECK(value(fixture.store, std::string("SELECT count(*) FROM ") + table) == "0");
    }
    fixture.store.add(candidate(4), "hash", correct(2));
    CHECK(value(fixture.store, "SELECT count(*) FROM measurement") == "1");
}

TEST_CASE("The best of a cell has the largest ratio, and ties go to the cheaper kernel") {
    Fixture fixture;
    const auto add = [&](int warps, const Measurement& measurement) {
        fixture.store.add(candidate(warps), hash_of(candidate(warps)), measurement);
    };
    const auto winner = [&] {
        return value(fixture.store,
                     "SELECT group_concat(json_extract(params, '$.warps')) FROM best");
    };
    add(1, correct(2.0));
    add(2, correct(2.5, 128));
    add(4, correct(1.0, 8));
    CHECK(winner() == "2");
    add(8, correct(2.48, 64));  // within 1 % and fewer registers
    CHECK(winner() == "8");
    Measurement more_registers = correct(2.49, 100);
    more_registers.resources->shared_bytes = 0;
    add(512, more_registers);
    CHECK(winner() == "8");
    Measurement small = correct(2.49, 64);
    small.resources->shared_bytes = 0;
    add(16, small);
    CHECK(winner() == "16");
    add(32, small);  // nothing left but the name: {"warps":16 sorts before {"warps":32
    CHECK(winner() == "16");
    add(64, correct(2.44, 1));  // 2.5 % behind: not a tie
    CHECK(winner() == "16");
    add(128, failed(CandidateStatus::kCorrectness));
    Measurement wrong = correct(9);
    wrong.status = CandidateStatus::kCorrectness;
    add(256, wrong);
    CHECK(winner() == "16");
}

TEST_CASE("Intervals that overlap tie, when there are enough samples for an interval") {
    Fixture fixture;
    const auto add = [&](int warps, Measurement measurement, double lo, double hi) {
        measurement.ratio_lo = lo;
        measurement.ratio_hi = hi;
        fixture.store.add(candidate(warps), hash_of(candidate(warps)), measurement);
    };
    const auto winner = [&] {
        return value(fixture.store, "SELECT json_extract(params, '$.warps') FROM best");
    };
    add(1, correct(2.0, 64, 6), 1.8, 2.2);
    add(2, correct(1.95, 8, 6), 1.7, 1.79);  // ends below the leader's
    CHECK(winner() == "1");
    add(4, correct(1.95, 32, 6), 1.7, 1.8);
    CHECK(winner() == "4");
    add(64, correct(1.9, 4, 6), 1.0, 3.0);  // 5 % apart: noise is no reason to win
    CHECK(winner() == "4");
    add(8, correct(1.95, 16, 5), 1.0, 3.0);  // 5 samples have no interval
    CHECK(winner() == "4");
    add(16, correct(1.99, 4, 1), 0, 9);  // left the race early: cannot win
    CHECK(winner() == "4");
    add(32, correct(2.1, 64, 5), 1.0, 3.0);  // not even with the largest ratio
    CHECK(winner() == "4");
}

TEST_CASE("Where nothing raced to the end, the best of what there is wins") {
    Fixture fixture;
    fixture.store.add(candidate(1), hash_of(candidate(1)), correct(2.0, 64, 1));
    fixture.store.add(candidate(2), hash_of(candidate(2)), correct(2.1, 64, 5));
    CHECK(value(fixture.store, "SELECT json_extract(params, '$.warps') FROM best") == "2");
}

TEST_CASE("A tie goes to fewer split-K before fewer registers") {
    Fixture fixture;
    const auto add = [&](const std::string& key, std::int64_t split_k, const Measurement& row) {
        Candidate kernel = candidate(4);
        kernel.compile_key = key;
        if (split_k > 0) {
            kernel.params.set("split_k", split_k);
        }
        fixture.store.add(kernel, hash_of(kernel), row);
    };
    add("a", 4, correct(2, 8));
    add("b", 2, correct(2, 32));
    CHECK(value(fixture.store, "SELECT registers FROM best") == "32");
    add("c", 0, correct(2, 128));  // without the parameter k is not split
    CHECK(value(fixture.store, "SELECT registers FROM best") == "128");
}

TEST_CASE("There is a best for every cell and policy") {
    Fixture fixture;
    const auto add_cells = [&] {
        for (const int m : {1, 4}) {
            const Candidate kernel = candidate(4, small_problem(m));
            fixture.store.add(kernel, hash_of(kernel), correct(m));
        }
    };
    add_cells();
    RunRecord other_policy = fictional_run();
    other_policy.policy.seed = 7;
    fixture.store.begin_run(other_policy);
    add_cells();
    CHECK(value(fixture.store, "SELECT count(*) || ' ' || count(DISTINCT policy) FROM best") ==
          "4 2");
    CHECK(value(fixture.store, "SELECT group_concat(m) FROM best") == "1,4,1,4");
}

TEST_CASE("A candidate whose code has changed no longer counts with its old code") {
    Fixture fixture;
    fixture.store.add(candidate(4), "old code", correct(3));
    fixture.store.add(candidate(8), "other", correct(1.5));
    SECTION("when the new code is slower") {
        fixture.store.add(candidate(4), "new code", correct(2));
        CHECK(value(fixture.store, "SELECT ratio FROM best") == "2.0");
    }
    SECTION("when the new code is wrong") {
        fixture.store.add(candidate(4), "new code", failed(CandidateStatus::kCorrectness));
        CHECK(value(fixture.store, "SELECT ratio FROM best") == "1.5");
    }
    CHECK(value(fixture.store, "SELECT count(*) FROM candidates_flat") == "3");
}

TEST_CASE("A query only reads, and is one statement") {
    Fixture fixture;
    const auto refused = [&](const std::string& sql, const std::string& why) {
        CHECK_THROWS_AS(fixture.store.query(sql), UsageError);
        CHECK_THROWS_WITH(
            fixture.store.query(sql),
            ContainsSubstring(why) &&
                ContainsSubstring("best, candidates_flat, eligible, tied, attempt, binary, "
                                  "candidate, cell, device, measurement"));
    };
    const std::string writes = "does not just read";
    refused("INSERT INTO binary VALUES ('a', 'b')", writes);
    refused("INSERT INTO binary VALUES ('a', 'b') RETURNING hash", writes);
    refused("DELETE FROM cell", writes);
    refused("ATTACH '/tmp/x.db' AS x", writes);
    refused("VACUUM INTO '/tmp/x.db'", writes);
    refused("PRAGMA user_version = 7", writes);
    refused("PRAGMA journal_mode = DELETE", writes);
    refused("BEGIN", writes);
    refused("CREATE TEMP TABLE t (x)", writes);
    refused("SELECT 1; SELECT 2", "more than one statement");
    refused("SELECT 1; nonsense", "more than one statement");
    refused("-- nothing", "there is no statement");
    refused("SELEC 1", "near \"SELEC\"");
    refused("SELECT time FROM best", "no such column: time");
    refused("SELECT json_extract('{', '$')", "malformed JSON");
    CHECK(value(fixture.store, "SELECT count(*) FROM binary") == "0");
}

TEST_CASE("A query may be any expression that reads") {
    Fixture fixture;
    CHECK(value(fixture.store, "SELECT 1 + 1") == "2");
    CHECK(value(fixture.store, "SELECT 3; -- done") == "3");
    CHECK(value(fixture.store, "WITH x AS (SELECT 4 AS y) SELECT y FROM x;\n") == "4");
    CHECK(fixture.store.query("PRAGMA table_info(measurement)").rows.size() > 20);
    const QueryResult result = fixture.store.query(
        "SELECT ?1 AS word, NULL AS none, 7 AS number, 0.5 AS real, '' AS empty", {"it's"});
    CHECK(result.columns == std::vector<std::string>{"word", "none", "number", "real", "empty"});
    REQUIRE(result.rows.size() == 1);
    CHECK(result.rows[0][0].text == "it's");
    CHECK_FALSE(result.rows[0][0].numeric);
    CHECK_FALSE(result.rows[0][1].text);
    CHECK(result.rows[0][2].numeric);
    CHECK(result.rows[0][3].numeric);
    CHECK(result.rows[0][4].text == "");
}
