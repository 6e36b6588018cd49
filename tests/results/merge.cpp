#include "results/merge.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"
#include "tests/results/sql.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace fdkbench;

namespace {

using Path = std::filesystem::path;

/// A kernel and what was measured of it; its hash is that of its compile key.
struct Row {
    std::int64_t warps = 4;
    Measurement measurement = correct(2);
    std::string measured_at = "2030-01-01T00:00:00.000Z";
    std::int64_t m = 1;
    bool compiled = true;
};

void add(Store& store, const Path& path, const Row& row) {
    const Candidate kernel = candidate(row.warps, small_problem(row.m));
    store.add(
        kernel, row.compiled ? std::optional(hash_of(kernel)) : std::nullopt, row.measurement);
    run_sql(path,
            "UPDATE measurement SET measured_at = '" + row.measured_at +
                "' WHERE id = (SELECT max(id) FROM measurement)");
}

/// A database with one run of these rows.
Path database(const TemporaryFolder& folder,
              const std::string& name,
              const std::vector<Row>& rows,
              const std::string& device = "Fictional 100") {
    const Path path = folder / name;
    Store store = Store::open(path);
    store.begin_run(fictional_run(device));
    for (const Row& row : rows) {
        add(store, path, row);
        store.remember_binary("key" + std::to_string(row.warps), name);
    }
    store.end_run(1.5);
    return path;
}

/// All that a database says, without its ids.
std::string content(const Path& path) {
    const Store store = Store::open_read_only(path);
    std::string text;
    for (const char* sql :
         {"SELECT key, name, facts FROM device ORDER BY key",
          "SELECT run.key, started_at, ended_at, device_s, command, device.key"
          " FROM run JOIN device ON device.id = device_id ORDER BY run.key",
          "SELECT * FROM binary ORDER BY compile_key",
          "SELECT family, params, identity, launch, layout FROM candidate ORDER BY 2, 3, 4",
          "SELECT device.key, policy, m, n, k, bits, group_size, type, margin, params"
          " FROM cell JOIN device ON device.id = device_id"
          " LEFT JOIN candidate ON candidate.id = incumbent_id ORDER BY device.key, m",
          "SELECT device.key, m, params, identity, status, message, time_us, ratio, ratio_lo,"
          " baseline_us, nrmse, registers, samples, processes, power_w, measured_at, run.key,"
          " (SELECT group_concat(block || ':' || time_us || ':' || process) FROM sample"
          "  WHERE measurement_id = measurement.id)"
          " FROM measurement JOIN cell ON cell.id = cell_id JOIN run ON run.id = run_id"
          " JOIN candidate ON candidate.id = candidate_id"
          " JOIN device ON device.id = cell.device_id"
          " ORDER BY device.key, m, params, identity"}) {
        for (const auto& row : store.query(sql).rows) {
            for (const auto& value : row) {
                text += value.text.value_or("NULL") + " ";
            }
            text += "\n";
        }
    }
    return text;
}

std::string counts(const MergeCounts& counts) {
    return fmt::format(
        "{} added, {} replaced, {} kept", counts.added, counts.replaced, counts.kept);
}

/// Three databases that agree, differ and overlap in every way that merge() knows.
std::vector<Path> various_inputs(const TemporaryFolder& folder) {
    const auto failure = failed(CandidateStatus::kCompile);
    return {database(folder,
                     "a.db",
                     {{.warps = 1},
                      {.warps = 2, .measurement = correct(2, 64, 9)},
                      {.warps = 4, .measurement = failure, .compiled = false},
                      {.warps = 8, .m = 16}}),
            database(folder,
                     "b.db",
                     {{.warps = 2, .measured_at = "2031-01-01T00:00:00.000Z"},
                      {.warps = 4, .measured_at = "2030-06-01T00:00:00.000Z"},
                      {.warps = 8, .measured_at = "2030-06-01T00:00:00.000Z", .m = 16}}),
            database(folder,
                     "c.db",
                     {{.warps = 1, .measurement = correct(3)},
                      {.warps = 4,
                       .measurement = failure,
                       .measured_at = "2031-06-01T00:00:00.000Z",
                       .compiled = false}},
                     "Another 200")};
}

}  // namespace

TEST_CASE("Merging into a new database copies everything") {
    const TemporaryFolder folder;
    const Path input = database(folder, "a.db", {{.warps = 1}, {.warps = 2, .m = 16}});
    {
        Store store = Store::open(input);
        store.select(fictional_run().device, fictional_run().policy);
        store.decide(small_problem(16), 0.03, 3);
    }
    const std::string before = bytes_of(input);
    const MergeResult result = merge(folder / "out.db", {input});
    REQUIRE(result.inputs.size() == 1);
    CHECK(counts(result.inputs[0]) == "2 added, 0 replaced, 0 kept");
    CHECK(result.measurements == 2);
    CHECK(result.cells == 2);
    CHECK(content(folder / "out.db") == content(input));
    CHECK(bytes_of(input) == before);
    const Store store = Store::open_read_only(folder / "out.db");
    CHECK(value(store, "SELECT count(*) FROM sample") == "6");
    CHECK(value(store, "SELECT count(*) FROM cell WHERE incumbent_id IS NOT NULL") == "1");
    CHECK(value(store, "SELECT ratio FROM best WHERE m = 16") == "2.0");
    CHECK(value(store, "PRAGMA integrity_check") == "ok");
    CHECK(value(store, "PRAGMA foreign_key_check") == "");
}

TEST_CASE("Merging again changes nothing") {
    const TemporaryFolder folder;
    const std::vector<Path> inputs = various_inputs(folder);
    merge(folder / "out.db", inputs);
    const std::string once = content(folder / "out.db");
    const MergeResult again = merge(folder / "out.db", {inputs[0], inputs[2], inputs[1]});
    for (const MergeCounts& input : again.inputs) {
        CHECK(input.added == 0);
        CHECK(input.replaced == 0);
    }
    CHECK(content(folder / "out.db") == once);
    merge(folder / "out.db", {inputs[1], inputs[1]});
    CHECK(content(folder / "out.db") == once);
}

TEST_CASE("The order of the inputs does not matter") {
    const TemporaryFolder folder;
    std::vector<Path> inputs = various_inputs(folder);
    std::ranges::sort(inputs);
    merge(folder / "first.db", inputs);
    const std::string first = content(folder / "first.db");
    for (int order = 0; std::ranges::next_permutation(inputs).found; ++order) {
        const Path together = folder / ("together" + std::to_string(order) + ".db");
        merge(together, inputs);
        CHECK(content(together) == first);
        const Path one_by_one = folder / ("one" + std::to_string(order) + ".db");
        for (const Path& input : inputs) {
            merge(one_by_one, {input});
        }
        CHECK(content(one_by_one) == first);
    }
}

TEST_CASE("Of two rows for a kernel the one with more samples stays, then the later one") {
    const TemporaryFolder folder;
    const std::string early = "2030-01-01T00:00:00.000Z";
    const std::string late = "2030-01-01T00:00:00.001Z";
    const Path output = database(folder, "out.db", {{.measured_at = early}});
    const auto merged = [&](const std::string& name, const Row& row) {
        return counts(merge(output, {database(folder, name, {row})}).inputs[0]);
    };
    const std::string kept = "0 added, 0 replaced, 1 kept";
    const std::string replaced = "0 added, 1 replaced, 0 kept";
    CHECK(merged("fewer", {.measurement = correct(9, 64, 2), .measured_at = late}) == kept);
    CHECK(merged("earlier", {.measured_at = "2029-01-01T00:00:00.000Z"}) == kept);
    CHECK(merged("later", {.measurement = correct(3), .measured_at = late}) == replaced);
    CHECK(merged("more", {.measurement = correct(4, 64, 5), .measured_at = early}) == replaced);
    CHECK(merged("other", {.measured_at = late, .m = 16}) == "1 added, 0 replaced, 0 kept");
    const Store store = Store::open_read_only(output);
    CHECK(value(store,
                "SELECT ratio || ' ' || samples FROM measurement JOIN cell"
                " ON cell.id = cell_id WHERE m = 1") == "4.0 5");
    CHECK(value(store, "SELECT count(*) FROM sample") == "8");
}

TEST_CASE("A wrong output outweighs all samples, whenever it was found") {
    const TemporaryFolder folder;
    const std::string early = "2030-01-01T00:00:00.000Z";
    const std::string late = "2030-01-01T00:00:00.001Z";
    const auto row = [&](bool is_wrong, const std::string& measured_at) {
        Measurement wrong;
        wrong.status = CandidateStatus::kCorrectness;
        return Row{.measurement = is_wrong ? wrong : correct(9, 64, 12),
                   .measured_at = measured_at};
    };
    for (const bool wrong_is_later : {true, false}) {
        for (const bool wrong_is_first : {true, false}) {
            CAPTURE(wrong_is_later, wrong_is_first);
            const std::string name =
                std::to_string(wrong_is_later) + std::to_string(wrong_is_first);
            const Path wrong =
                database(folder, "wrong" + name, {row(true, wrong_is_later ? late : early)});
            const Path good =
                database(folder, "good" + name, {row(false, wrong_is_later ? early : late)});
            const Path output = folder / ("out" + name);
            merge(output, wrong_is_first ? std::vector{wrong, good} : std::vector{good, wrong});
            const Store store = Store::open_read_only(output);
            CHECK(value(store, "SELECT status || ' ' || samples FROM measurement") ==
                  "correctness 0");
            CHECK(value(store, "SELECT count(*) FROM best") == "0");
        }
    }
}

TEST_CASE("A kernel is the same under another name when code and launch are the same") {
    const TemporaryFolder folder;
    const Path output = database(folder, "out.db", {{.warps = 4}});
    const Path input = database(folder, "in.db", {{.warps = 4, .measurement = correct(3, 64, 6)}});
    run_sql(input, "UPDATE candidate SET params = '{\"warps\":4,\"decode\":\"other\"}'");
    CHECK(counts(merge(output, {input}).inputs[0]) == "0 added, 1 replaced, 0 kept");
    const Store store = Store::open_read_only(output);
    CHECK(value(store,
                "SELECT count(*) || ' ' || min(params) FROM measurement JOIN candidate"
                " ON candidate.id = candidate_id") == "1 {\"warps\":4,\"decode\":\"other\"}");
}

TEST_CASE("A kernel that compiled replaces its earlier failed compilation, not a later one") {
    const TemporaryFolder folder;
    const auto failure = failed(CandidateStatus::kCompile);
    const Path compiled = database(folder, "a.db", {{.measured_at = "2030-01-02T00:00:00.000Z"}});
    const Path before = database(
        folder,
        "b.db",
        {{.measurement = failure, .measured_at = "2030-01-01T00:00:00.000Z", .compiled = false}});
    const Path after = database(
        folder,
        "c.db",
        {{.measurement = failure, .measured_at = "2030-01-03T00:00:00.000Z", .compiled = false}});
    CHECK(counts(merge(folder / "1.db", {before, compiled}).inputs[1]) ==
          "0 added, 1 replaced, 0 kept");
    CHECK(counts(merge(folder / "2.db", {compiled, before}).inputs[1]) ==
          "0 added, 0 replaced, 1 kept");
    CHECK(content(folder / "1.db") == content(folder / "2.db"));
    CHECK(counts(merge(folder / "2.db", {after}).inputs[0]) == "1 added, 0 replaced, 0 kept");
}

TEST_CASE("The newest code of a family's point counts, whichever database it came from") {
    const TemporaryFolder folder;
    const Path old_code = database(folder, "old.db", {{.warps = 4, .measurement = correct(9)}});
    const Path new_code =
        database(folder, "new.db", {{.warps = 4, .measured_at = "2031-01-01T00:00:00.000Z"}});
    run_sql(new_code, "UPDATE candidate SET binary_hash = 'changed'");
    for (const auto& inputs : {std::vector{old_code, new_code}, std::vector{new_code, old_code}}) {
        const Path output = folder / (inputs[0].filename().string() + ".out");
        CHECK(merge(output, inputs).measurements == 2);
        CHECK(value(Store::open_read_only(output), "SELECT binary_hash FROM best") == "changed");
    }
}

TEST_CASE("What cannot be merged is named, and nothing is written") {
    const TemporaryFolder folder;
    const Path good = database(folder, "good.db", {{.warps = 1}});
    const Path output = database(folder, "out.db", {{.warps = 2}});
    const std::string before = content(output);
    const auto refused = [&](const Path& bad, const std::string& why) {
        INFO(why);
        CHECK_THROWS_AS(merge(output, {good, bad}), UsageError);
        CHECK_THROWS_WITH(merge(output, {good, bad}),
                          ContainsSubstring(bad.string()) && ContainsSubstring(why));
        CHECK(content(output) == before);
        CHECK_THROWS_AS(merge(folder / "none.db", {good, bad}), UsageError);
        CHECK_FALSE(std::filesystem::exists(folder / "none.db"));
    };
    refused(folder / "missing.db", "there is no database");
    CHECK_THROWS_AS(merge(output, {good, output}), UsageError);
    CHECK_THROWS_WITH(merge(output, {good, output}),
                      ContainsSubstring("out.db is the output and an input"));

    write_file(folder / "text.db", std::string(5000, 'x'));
    refused(folder / "text.db", "is not an fdkbench database");
    write_file(folder / "empty.db", "");
    refused(folder / "empty.db", "is an empty database");

    const Path newer = database(folder, "newer.db", {{.warps = 1}});
    run_sql(newer, "PRAGMA user_version = 999");
    refused(newer, "has version 999");

    const Path lost = database(folder, "lost.db", {{.warps = 1}});
    run_sql(lost, "PRAGMA foreign_keys = OFF; DELETE FROM candidate");
    refused(lost, "is damaged");

    const Path foreign = database(folder, "foreign.db", {{.warps = 1}});
    run_sql(foreign,
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql ="
            " replace(sql, 'coalesce(', 'soalesce(')");
    refused(foreign, "is damaged: unknown function: soalesce()");

    const Path torn = database(folder, "torn.db", {{.warps = 1}});
    run_sql(torn, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
    std::string bytes = bytes_of(torn);
    std::fill(bytes.begin() + 8192, bytes.end(), 'x');
    write_file(torn, bytes);
    refused(torn, "is damaged");

    make_version_1(folder / "older.db");
    // A column that the migration is about to add.
    run_sql(folder / "older.db", "ALTER TABLE sample ADD COLUMN sm_clock_mhz REAL");
    refused(folder / "older.db", (folder / "older.db").string() + " is damaged: duplicate column");
}

TEST_CASE("A database of an older version is merged as its migration would be, and left as it is") {
    const TemporaryFolder folder;
    make_version_1(folder / "old.db");
    make_version_1(folder / "migrated.db");
    run_sql(folder / "old.db", "PRAGMA journal_mode = WAL");
    const std::string before = bytes_of(folder / "old.db");
    CHECK(merge(folder / "a.db", {folder / "old.db"}).measurements == 2);
    CHECK(bytes_of(folder / "old.db") == before);
    Store::open(folder / "migrated.db");
    merge(folder / "b.db", {folder / "migrated.db"});
    CHECK(content(folder / "a.db") == content(folder / "b.db"));
    const MergeResult again = merge(folder / "a.db", {folder / "migrated.db"});
    CHECK(again.inputs[0].kept == 2);
}

TEST_CASE("A merge that ends in the middle leaves the output as it was") {
    const TemporaryFolder folder;
    const Path output = database(folder, "out.db", {{.warps = 1}});
    const std::string before = content(output);
    run_sql(output,
            "CREATE TRIGGER stop BEFORE INSERT ON measurement WHEN (SELECT count(*) FROM"
            " measurement) = 3 BEGIN SELECT RAISE(ABORT, 'stopped'); END");
    const Path input =
        database(folder, "in.db", {{.warps = 2}, {.warps = 4}, {.warps = 8}, {.warps = 16}});
    CHECK_THROWS_WITH(merge(output, {input}), ContainsSubstring("stopped"));
    CHECK(content(output) == before);
    run_sql(output, "DROP TRIGGER stop");
    CHECK(merge(output, {input}).measurements == 5);
}

TEST_CASE("A database to which a sweep is adding can be merged") {
    const TemporaryFolder folder;
    Store sweep = Store::open(folder / "a.db");
    sweep.begin_run(fictional_run());
    sweep.add(candidate(1), "one", correct(2));
    sweep.begin_attempt(candidate(2), "two");
    CHECK(merge(folder / "out.db", {folder / "a.db"}).measurements == 1);
    sweep.add(candidate(2), "two", correct(2));
    CHECK(merge(folder / "out.db", {folder / "a.db"}).measurements == 2);
    const Store store = Store::open_read_only(folder / "out.db");
    CHECK(value(store, "SELECT count(*) FROM attempt") == "0");
    CHECK(value(store, "SELECT count(*) || ' ' || count(ended_at) FROM run") == "1 0");
    sweep.end_run(1);
    merge(folder / "out.db", {folder / "a.db"});
    CHECK(value(store, "SELECT count(*) || ' ' || count(ended_at) FROM run") == "1 1");
}

TEST_CASE("Every table is either merged or known to stay behind") {
    const TemporaryFolder folder;
    const Store store = Store::open(folder / "a.db");
    CHECK(value(store,
                "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type ="
                " 'table' AND name NOT LIKE 'sqlite%' ORDER BY name)") ==
          "attempt,binary,candidate,cell,device,measurement,run,sample");
}
