#include "results/dispatch_table.hpp"
#include "results/stored_rows.hpp"
#include "results/summary.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"
#include "tests/results/sql.hpp"

using namespace fdkbench;

namespace {

/// The policy of the rows in version_1.sql.
const char* const kOldPolicy = "cold5-normal-seed1-nrmse0.004-v1";

std::string row_text(const Store& store, const std::string& sql) {
    const QueryResult result = store.query(sql);
    std::string text;
    for (const auto& row : result.rows) {
        for (const auto& cell : row) {
            text += cell.text.value_or("NULL") + " ";
        }
        text += "\n";
    }
    return text;
}

/// All that stands in the tables and how they are defined.
std::string content(const Store& store) {
    std::string text = row_text(store, "SELECT type, name, sql FROM sqlite_master ORDER BY name");
    const QueryResult tables =
        store.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    for (const auto& table : tables.rows) {
        text += row_text(store, "SELECT * FROM " + *table[0].text);
    }
    return text;
}

}  // namespace

TEST_CASE("A database of version 1 is brought up to date and keeps its rows") {
    const TemporaryFolder folder;
    make_version_1(folder / "a.db");
    const Store store = Store::open(folder / "a.db");
    CHECK(value(store, "PRAGMA user_version") == "3");
    CHECK(value(store, "PRAGMA application_id") == std::to_string(0x66646b62));
    CHECK(value(store, "PRAGMA integrity_check") == "ok");
    CHECK(store.query("PRAGMA foreign_key_check").rows.empty());

    CHECK(row_text(store,
                   "SELECT measurement_id, family, status, message, ratio, ratio_lo, registers,"
                   " samples, binary_hash, measured_at, policy FROM candidates_flat") ==
          "7 lut_mv correct  2.0 1.98 64 6 hash-key4 2024-05-06T07:08:10.000Z " +
              std::string(kOldPolicy) +
              " \n8 lut_mv compile no such type NULL NULL NULL 0 NULL 2024-05-06T07:08:11.000Z " +
              kOldPolicy + " \n");
    CHECK(value(store, "SELECT group_concat(time_us) FROM sample") ==
          "10.0,10.1,9.9,10.2,9.8,10.0");
    CHECK(value(store, "SELECT hash FROM binary WHERE compile_key = 'key4'") == "hash-key4");
}

TEST_CASE("What version 1 did not know is filled in") {
    const TemporaryFolder folder;
    make_version_1(folder / "a.db");
    const Store store = Store::open(folder / "a.db");
    // Where nothing was timed, no process was.
    CHECK(row_text(store, "SELECT id, processes, discarded, power_w, energy_uj FROM measurement") ==
          "7 1 0 NULL NULL \n8 0 0 NULL NULL \n");
    CHECK(row_text(store, "SELECT DISTINCT process, sm_clock_mhz FROM sample") == "0 NULL \n");
    // Both runs began in the same millisecond.
    CHECK(row_text(store, "SELECT key, empty_launch_us, device_s FROM run ORDER BY id") ==
          "2024-05-06T07:08:09.123Z GPU-Fictional 100 3 NULL NULL \n"
          "2024-05-06T07:08:09.123Z GPU-Fictional 100 4 NULL NULL \n");
    CHECK(row_text(store, "SELECT incumbent_id, margin FROM cell") == "NULL NULL \n");
    CHECK(value(store, "SELECT count(*) FROM attempt") == "0");
    CHECK(row_text(store, "SELECT ratio, processes, tied, incumbent FROM best") == "2.0 1 1 0 \n");
}

TEST_CASE("Kernels for the former order of 2-bit fragments are to be measured again") {
    const auto left = [](const std::string& change) {
        const TemporaryFolder folder;
        make_version_1(folder / "a.db");
        run_sql(folder / "a.db", bytes_of("results/schema_2.sql"));
        run_sql(folder / "a.db",
                "PRAGMA user_version = 2; UPDATE cell SET incumbent_id ="
                " (SELECT min(candidate_id) FROM measurement), margin = 0.03, decided_at = 'then',"
                " decided_processes = 1;" +
                    change);
        const Store store = Store::open(folder / "a.db");
        CHECK(store.query("PRAGMA foreign_key_check").rows.empty());
        CHECK(value(store, "SELECT count(*) FROM temp.sqlite_master") == "0");
        return row_text(store,
                        "SELECT (SELECT count(*) FROM measurement), (SELECT count(*) FROM sample),"
                        " (SELECT count(*) FROM best), count(incumbent_id), count(margin),"
                        " count(decided_at), count(decided_processes) FROM cell");
    };
    CHECK(left("UPDATE cell SET bits = 2; UPDATE candidate SET layout = 'fragment'") ==
          "0 0 0 0 0 0 0 \n");
    CHECK(left("UPDATE cell SET bits = 2") == "2 6 1 1 1 1 1 \n");
    CHECK(left("UPDATE candidate SET layout = 'fragment'") == "2 6 1 1 1 1 1 \n");
}

TEST_CASE("Bringing a database up to date twice changes nothing more") {
    const TemporaryFolder folder;
    make_version_1(folder / "a.db");
    const std::string once = content(Store::open(folder / "a.db"));
    const std::string changes = "PRAGMA schema_version";
    const std::string before = value(Store::open_read_only(folder / "a.db"), changes);
    CHECK(content(Store::open(folder / "a.db")) == once);
    CHECK(value(Store::open(folder / "a.db"), changes) == before);
    CHECK(value(Store::open_read_only(folder / "a.db"),
                "SELECT count(*) FROM sqlite_temp_master") == "0");
}

TEST_CASE("Views by which another fdkbench chose winners are not used, and a sweep replaces them") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.db";
    const std::string views =
        "SELECT name, sql FROM main.sqlite_master WHERE name IN ('best', 'tied') ORDER BY name";
    std::string own;
    {
        Store store = Store::open(path);
        store.begin_run(fictional_run());
        store.add(candidate(4), "hash", correct(2));
        own = row_text(store, views);
    }
    run_sql(path,
            "DROP VIEW best; DROP VIEW tied; CREATE VIEW tied AS SELECT 'foreign' AS family;"
            "CREATE VIEW best AS SELECT 'foreign' AS family");
    const std::string before = bytes_of(path);
    CHECK(value(Store::open_read_only(path), "SELECT family FROM best") == "lut_mv");
    CHECK(value(Store::open_read_only(path), "SELECT count(*) FROM tied") == "1");
    CHECK(bytes_of(path) == before);
    const Store store = Store::open(path);
    CHECK(row_text(store, views) == own);
    CHECK(value(store, "SELECT family FROM best") == "lut_mv");
}

TEST_CASE("A database of version 1 gets the same schema as a new one") {
    const TemporaryFolder folder;
    make_version_1(folder / "old.db");
    const std::string schema =
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name";
    CHECK(row_text(Store::open(folder / "old.db"), schema) ==
          row_text(Store::open(folder / "new.db"), schema));
}

TEST_CASE("A database of version 1 is not read, and the refusal says what to do") {
    const TemporaryFolder folder;
    make_version_1(folder / "a.db");
    const std::string before = bytes_of(folder / "a.db");
    CHECK_THROWS_AS(Store::open_read_only(folder / "a.db"), UsageError);
    CHECK_THROWS_WITH(Store::open_read_only(folder / "a.db"),
                      ContainsSubstring("is of an older version") &&
                          ContainsSubstring("fdkbench sweep") && ContainsSubstring("a.db"));
    CHECK_THROWS_AS(Store::open_for_planning(folder / "a.db"), UsageError);
    CHECK(bytes_of(folder / "a.db") == before);
    { const Store store = Store::open(folder / "a.db"); }
    CHECK(value(Store::open_read_only(folder / "a.db"), "SELECT ratio FROM best") == "2.0");
}

TEST_CASE("A migration that fails leaves version 1 as it was") {
    const TemporaryFolder folder;
    make_version_1(folder / "a.db");
    // A column that the migration is about to add.
    run_sql(folder / "a.db", "ALTER TABLE sample ADD COLUMN sm_clock_mhz REAL");
    const std::string before = bytes_of(folder / "a.db");
    CHECK_THROWS_AS(Store::open(folder / "a.db"), Error);
    CHECK(bytes_of(folder / "a.db") == before);
}

TEST_CASE("Rows of version 1 are exported, and new ones join them") {
    const TemporaryFolder folder;
    make_version_1(folder / "a.db");
    Store store = Store::open(folder / "a.db");
    const DispatchTable table = read_table(store, "");
    CHECK(table.policy == kOldPolicy);
    REQUIRE(table.entries.size() == 1);
    CHECK(table.entries[0].binary_hash == "hash-key4");
    CHECK(table.entries[0].processes == 1);
    CHECK(best_overview(store).rows.size() == 1);

    const RunRecord run = fictional_run();
    const std::vector<StoredRow> rows = winner_rows(store, run.device.key, kOldPolicy);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].measurement.samples.size() == 6);
    CHECK(rows[0].plan == candidate(4).plan);

    store.begin_run(run);
    CHECK_FALSE(store.measured(candidate(4), "hash-key4"));  // it was under another policy
    store.add(candidate(4), "hash-key4", correct(3));
    CHECK(value(store, "SELECT count(*) FROM run WHERE key IS NOT NULL") == "3");
    CHECK(value(store, "SELECT group_concat(ratio) FROM best") == "2.0,3.0");
    CHECK(read_table(store, "").policy == run.policy.key());
}
