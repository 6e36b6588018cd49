#include "results/store.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"
#include "tests/results/sql.hpp"

#include <sys/stat.h>
#include <unistd.h>

using namespace fdkbench;

namespace {

/// Without the rights of root, which no permission holds back, for as long as it lives.
class Unprivileged {
  public:
    Unprivileged() : user_(::geteuid()) {
        if (user_ == 0 && ::seteuid(65534) != 0) {
            throw std::runtime_error("cannot become an ordinary user");
        }
    }
    ~Unprivileged() {
        if (::seteuid(user_) != 0) {
            std::abort();
        }
    }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

  private:
    uid_t user_;
};

void make_database(const std::filesystem::path& path) {
    Store store = Store::open(path);
    store.begin_run(fictional_run());
    store.add(candidate(4), "hash", correct(2));
}

void check_refused(const std::filesystem::path& path, const std::string& why) {
    CHECK_THROWS_AS(Store::open(path), UsageError);
    CHECK_THROWS_WITH(Store::open(path), ContainsSubstring(why) && ContainsSubstring("--db"));
    CHECK_THROWS_AS(Store::open_read_only(path), UsageError);
    CHECK_THROWS_WITH(Store::open_read_only(path),
                      ContainsSubstring(why) && ContainsSubstring("--db"));
}

}  // namespace

TEST_CASE("A database is created once and keeps its rows") {
    const TemporaryFolder folder;
    make_database(folder / "a.db");
    const Store store = Store::open(folder / "a.db");
    CHECK(value(store, "SELECT count(*) FROM measurement") == "1");
    CHECK(value(store, "PRAGMA user_version") == "3");
    CHECK(value(store, "PRAGMA application_id") == std::to_string(0x66646b62));
    CHECK(bytes_of(folder / "a.db")[18] == 2);  // with a write-ahead log
    CHECK(value(store, "PRAGMA foreign_keys") == "1");
}

TEST_CASE("An empty file becomes a database") {
    const TemporaryFolder folder;
    write_file(folder / "a.db", "");
    CHECK_THROWS_WITH(Store::open_read_only(folder / "a.db"),
                      ContainsSubstring("is an empty database: run fdkbench sweep first"));
    make_database(folder / "a.db");
    CHECK(value(Store::open_read_only(folder / "a.db"), "SELECT ratio FROM best") == "2.0");
}

TEST_CASE("A file that is no database is refused and left as it is") {
    const TemporaryFolder folder;
    const std::string text = GENERATE(std::string("hello\n"), std::string(100'000, 'x'));
    write_file(folder / "a.db", text);
    check_refused(folder / "a.db", "is not an fdkbench database");
    CHECK(bytes_of(folder / "a.db") == text);
}

TEST_CASE("Another program's database is refused and left as it is") {
    const TemporaryFolder folder;
    run_sql(folder / "a.db",
            GENERATE("CREATE TABLE t (x)",
                     "CREATE TABLE t (x); PRAGMA user_version = 1",
                     "PRAGMA application_id = 252006673; CREATE TABLE t (x)"));
    const std::string before = bytes_of(folder / "a.db");
    check_refused(folder / "a.db", "is not an fdkbench database");
    CHECK(bytes_of(folder / "a.db") == before);
}

TEST_CASE("A newer database is refused with both versions and left as it is") {
    const TemporaryFolder folder;
    make_database(folder / "a.db");
    run_sql(folder / "a.db", "PRAGMA user_version = 7");
    check_refused(folder / "a.db",
                  "has version 7, this fdkbench knows versions up to 3: use a newer fdkbench");
    run_sql(folder / "a.db", "PRAGMA user_version = 3");
    CHECK(value(Store::open(folder / "a.db"), "SELECT count(*) FROM measurement") == "1");
}

TEST_CASE("A database that is not there is not created by reading") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(Store::open_read_only(folder / "a.db"), UsageError);
    CHECK_THROWS_WITH(Store::open_read_only(folder / "a.db"),
                      ContainsSubstring("a.db: run fdkbench sweep first"));
    CHECK_FALSE(std::filesystem::exists(folder / "a.db"));
}

TEST_CASE("A folder that is not there, or a folder in place of a file, is an environment error") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(Store::open(folder / "none/a.db"), EnvironmentError);
    CHECK_THROWS_WITH(Store::open(folder / "none/a.db"),
                      ContainsSubstring("none/a.db") && ContainsSubstring("with --db"));
    CHECK_THROWS_AS(Store::open(folder.path()), EnvironmentError);
}

TEST_CASE("What may not be written is an environment error") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "sub");
    make_database(folder / "sub/a.db");
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    REQUIRE(::chmod((folder / "sub").c_str(), 0555) == 0);
    REQUIRE(::chmod((folder / "sub/a.db").c_str(), 0444) == 0);
    const Unprivileged unprivileged;
    CHECK_THROWS_AS(Store::open(folder / "sub/new.db"), EnvironmentError);
    CHECK_THROWS_WITH(Store::open(folder / "sub/new.db"), ContainsSubstring("with --db"));
    CHECK_THROWS_AS(Store::open(folder / "sub/a.db"), EnvironmentError);
    CHECK_THROWS_WITH(Store::open(folder / "sub/a.db"), ContainsSubstring("is read-only"));
}

TEST_CASE("A read-only file in a read-only folder can be read") {
    const TemporaryFolder folder;
    const std::string name = "odd name %41?#.db";
    std::filesystem::create_directory(folder / "sub");
    make_database(folder / ("sub/" + name));
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    REQUIRE(::chmod((folder / ("sub/" + name)).c_str(), 0444) == 0);
    SECTION("with a folder that may not be written either") {
        REQUIRE(::chmod((folder / "sub").c_str(), 0555) == 0);
    }
    SECTION("with a folder that may be written") {
        REQUIRE(::chmod((folder / "sub").c_str(), 0777) == 0);
    }
    const Unprivileged unprivileged;
    const Store store = Store::open_read_only(folder / ("sub/" + name));
    CHECK(value(store, "SELECT ratio FROM best") == "2.0");
    CHECK(value(Store::open_read_only(folder / ("sub/" + name)), "SELECT ratio FROM best") ==
          "2.0");
}

TEST_CASE("A database can be read while a sweep writes it") {
    const TemporaryFolder folder;
    Store sweep = Store::open(folder / "a.db");
    const Store reader = Store::open_read_only(folder / "a.db");
    CHECK(value(reader, "SELECT count(*) FROM measurement") == "0");
    sweep.begin_run(fictional_run());
    sweep.add(candidate(4), "hash", correct(2));
    CHECK(value(reader, "SELECT count(*) FROM measurement") == "1");
    CHECK_THROWS_AS(reader.query("DELETE FROM measurement"), UsageError);
    sweep.add(candidate(8), "other", correct(2));
    CHECK(value(reader, "SELECT count(*) FROM measurement") == "2");
}

TEST_CASE("A plan knows what was measured and leaves no file where there is none") {
    const TemporaryFolder folder;
    const RunRecord run = fictional_run();
    {
        Store plan = Store::open_for_planning(folder / "a.db");
        plan.select(run.device, run.policy);
        CHECK_FALSE(plan.measured(candidate(4), "hash"));
    }
    CHECK_FALSE(std::filesystem::exists(folder / "a.db"));

    make_database(folder / "a.db");
    Store plan = Store::open_for_planning(folder / "a.db");
    plan.select(run.device, run.policy);
    CHECK(plan.measured(candidate(4), "hash"));
    CHECK_FALSE(plan.measured(candidate(4), "other"));
    plan.select(fictional_run("Other").device, run.policy);
    CHECK_FALSE(plan.measured(candidate(4), "hash"));
    CHECK_THROWS_AS(plan.begin_run(run), EnvironmentError);
}
