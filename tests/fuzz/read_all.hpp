#pragma once

#include "results/dispatch_table.hpp"
#include "results/explanation.hpp"
#include "results/format.hpp"
#include "results/merge.hpp"
#include "results/status_counts.hpp"
#include "results/stored_rows.hpp"
#include "results/summary.hpp"
#include "results/table_cost.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/results/fixture.hpp"

namespace fdkbench::fuzz {

/// A database with a few rows of each kind.
inline void write_database(const std::filesystem::path& path) {
    Store store = Store::open(path);
    store.begin_run(fictional_run());
    for (int i = 1; i < 4; ++i) {
        store.add(candidate(i), hash_of(candidate(i)), correct(i, 64, 7));
    }
    store.add(candidate(4), std::nullopt, failed(CandidateStatus::kCompile));
    store.add(candidate(5, small_problem(2)), "hash", single_sample(2));
    Candidate any_m = candidate(7);
    any_m.plan.tiling = RowTiling{.m_tile = 8};
    store.add(any_m, hash_of(any_m), correct(1, 64, 7));
    store.begin_attempt(candidate(6), "another");
    store.decide(small_problem(), 0.03, 2);
    store.end_run(1);
}

/// Everything that the program reads from a database, each part by itself.
inline void read_all(const std::filesystem::path& path) {
    refuse_cleanly([&] {
        Store store = Store::open_read_only(path);
        const RunRecord run = fictional_run();
        const std::vector<Problem> problems{small_problem(), small_problem(2)};
        refuse_cleanly([&] { store.select(run.device, run.policy); });
        refuse_cleanly([&] { static_cast<void>(store.measured(candidate(1), "hash-key1")); });
        refuse_cleanly([&] { static_cast<void>(store.binary_hash("key1")); });
        refuse_cleanly([&] { static_cast<void>(store.decided(problems[0], 2)); });
        refuse_cleanly([&] { summary(store, run.device, run.policy, problems); });
        refuse_cleanly([&] { status_counts(store, run.device, run.policy, problems); });
        refuse_cleanly([&] { unconfirmed_rows(store, problems[0], 2); });
        refuse_cleanly([&] { winner_rows(store, run.device.key, run.policy.key()); });
        refuse_cleanly(
            [&] { measuring_policy(store, chosen_policy(policies(store, run.device.key), "")); });
        refuse_cleanly([&] {
            const DispatchTable table = read_table(store, "", {.max_nrmse = 0.004});
            to_header(table);
            to_csv(table);
            static_cast<void>(Json::parse(to_json_text(table)));
        });
        refuse_cleanly([&] {
            const TableRules rules{.batch_invariant = true};
            const DispatchTable table = read_table(store, "", rules);
            cost_text("--batch-invariant", table_costs(table, read_table(store, ""), {}), true);
            for (const TableEntry& entry : table.entries) {
                explain(store, table, rules, entry.problem, entry);
            }
        });
        refuse_cleanly([&] {
            const QueryResult best = best_overview(store);
            to_csv(best);
            to_table(best);
            static_cast<void>(Json::parse(to_json_text(best)));
        });
        refuse_cleanly([&] { to_table(store.query("SELECT * FROM candidates_flat")); });
    });
    const auto merged = scratch_folder() / "merged.db";
    for (const char* end : {"", "-wal", "-shm"}) {
        std::filesystem::remove(merged.string() + end);
    }
    refuse_cleanly([&] { merge(merged, {path}); });
}

}  // namespace fdkbench::fuzz
