#include "results/dispatch_table.hpp"
#include "results/status_counts.hpp"
#include "results/store.hpp"
#include "results/stored_rows.hpp"
#include "results/summary.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <sqlite3.h>

using namespace fdkbench;

namespace {

/// A database with one row, changed as no version of the program would.
class Damaged {
  public:
    explicit Damaged(const std::string& sql) {
        {
            Store store = Store::open(path());
            store.begin_run(fictional_run());
            store.add(candidate(4), "hash", correct(2));
        }
        sqlite3* handle = nullptr;
        REQUIRE(sqlite3_open(path().c_str(), &handle) == SQLITE_OK);
        const std::string all = "PRAGMA ignore_check_constraints = 1; " + sql;
        REQUIRE(sqlite3_exec(handle, all.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(handle);
    }
    [[nodiscard]] std::filesystem::path path() const { return folder_ / "a.db"; }

  private:
    TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("A row that nobody can have written is refused with its column") {
    const auto [sql, column] = GENERATE(table<std::string, std::string>({
        {"UPDATE cell SET type = 'fp8'", "type"},
        {"UPDATE candidate SET params = '{\"warps\": 1.5}'", "params"},
        {"UPDATE candidate SET launch = '{}'", "launch"},
        {"UPDATE measurement SET time_us = NULL", "time_us"},
        {"UPDATE measurement SET nrmse = NULL", "nrmse"},
    }));
    CAPTURE(sql);
    const Damaged damaged(sql);
    const Store store = Store::open_read_only(damaged.path());
    const std::string expected = "the database is damaged: a row's '" + column + "'";
    CHECK_THROWS_AS(read_table(store, ""), UsageError);
    CHECK_THROWS_WITH(read_table(store, ""), ContainsSubstring(expected));
}

TEST_CASE("A summary refuses what it cannot show") {
    const RunRecord run = fictional_run();
    const Damaged damaged("UPDATE measurement SET gb_s = NULL");
    const Store store = Store::open_read_only(damaged.path());
    CHECK_THROWS_WITH(summary(store, run.device, run.policy, {small_problem()}),
                      ContainsSubstring("'gb_s' is missing"));
    const Damaged unknown("UPDATE measurement SET status = 'lucky'");
    CHECK_THROWS_WITH(
        status_counts(
            Store::open_read_only(unknown.path()), run.device, run.policy, {small_problem()}),
        ContainsSubstring("'status'"));
}

TEST_CASE("A database without a table or column of its version is refused") {
    for (const char* sql : {"DROP TABLE sample", "ALTER TABLE cell RENAME COLUMN bits TO width"}) {
        CAPTURE(sql);
        const Damaged damaged(std::string("PRAGMA legacy_alter_table = 1; ") + sql);
        CHECK_THROWS_AS(Store::open_read_only(damaged.path()), UsageError);
        CHECK_THROWS_WITH(Store::open_read_only(damaged.path()), ContainsSubstring("is damaged"));
        CHECK_THROWS_WITH(Store::open(damaged.path()), ContainsSubstring("is damaged"));
    }
}

TEST_CASE("A file format that SQLite does not know is refused by file name") {
    const Damaged damaged("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
    std::string bytes = bytes_of(damaged.path());
    constexpr std::size_t kSchemaFormat = 44;
    bytes.replace(kSchemaFormat, 4, "SQLi");
    write_file(damaged.path(), bytes);
    for (const auto& open : {Store::open, Store::open_read_only}) {
        CHECK_THROWS_AS(open(damaged.path()), UsageError);
        CHECK_THROWS_WITH(open(damaged.path()),
                          ContainsSubstring(damaged.path().string() + " is damaged"));
    }
}

TEST_CASE("Text that is not UTF-8 comes out as JSON all the same") {
    const Damaged damaged("UPDATE run SET driver = CAST(x'ff0a' AS TEXT)");
    const Store store = Store::open_read_only(damaged.path());
    CHECK_THAT(to_json_text(read_table(store, "")), ContainsSubstring("\xef\xbf\xbd"));
}

TEST_CASE("A message stays on one line whatever it quotes") {
    CHECK(UsageError("bad\nvalue\x1b[0m").what() == std::string("bad value [0m"));
}
