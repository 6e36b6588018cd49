#include "tests/catch.hpp"
#include "tests/cli/program.hpp"
#include "tests/cli/quantise.hpp"

#include <algorithm>
#include <filesystem>

using namespace fdkbench::test;

namespace {

/// A small disk of its own.
class SmallDisk {
  public:
    SmallDisk(const TemporaryFolder& folder, const std::string& size) : path_(folder.path("disk")) {
        std::filesystem::create_directory(path_);
        if (run_shell("mount -t tmpfs -o size=" + size + " tmpfs '" + path_ + "'").exit_code != 0) {
            skip_program("this user may not mount a small disk");
        }
    }
    ~SmallDisk() { run_shell("umount -l '" + path_ + "'"); }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
    void resize(const std::string& options) const {
        REQUIRE(run_shell("mount -o remount," + options + " '" + path_ + "'").exit_code == 0);
    }

  private:
    std::string path_;
};

ProgramResult sweep(const std::string& db,
                    const std::string& cache,
                    const std::vector<std::string>& shapes) {
    return run_fdkbench(
        joined(host_sweep(db, cache, shapes), {"--json", "--cache-bytes-factor", "0.01"}));
}

int count(const std::string& text, const std::string& word) {
    int found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++found;
    }
    return found;
}

const std::string kRows =
    "SELECT m, n, k, bits, family, params, status FROM candidates_flat ORDER BY 1, 2, 3, 4, 5, 6";
const std::string kSound = "integrity_check\nok\n";

}  // namespace

TEST_CASE("A sweep whose database no longer fits keeps its rows and goes on when there is space") {
    const TemporaryFolder folder;
    const SmallDisk disk(folder, "10m");
    const std::string db = disk.path("a.db");
    REQUIRE(sweep(db, folder.path("cache"), {"1x64x256"}).exit_code == 0);
    const std::string whole = query_csv(db, "SELECT id, measured_at FROM measurement");

    // What is left is enough for some rows of the second cell, or for none.
    const std::string left_kb = GENERATE("100", "200", "0");
    CAPTURE(left_kb);
    REQUIRE(run_shell("used=$(du -sk '" + disk.path("") +
                      "' | cut -f1); mount -o remount,size=$((used + " + left_kb + "))k '" +
                      disk.path("") + "'")
                .exit_code == 0);
    const std::vector<std::string> shapes{"1x64x256", "1x96x256"};
    const ProgramResult full = sweep(db, folder.path("cache"), shapes);
    INFO(full.err);
    CHECK(full.exit_code == 3);
    CHECK_THAT(full.err, ContainsSubstring(db));
    CHECK_THAT(full.err, ContainsSubstring("all rows stored so far are kept"));
    CHECK(count(full.err, "\n") >= 1);

    disk.resize("size=10m");
    CHECK(query_csv(db, "PRAGMA integrity_check") == kSound);
    // Every row that was reported is there.
    CHECK(count(query_csv(db, "SELECT id FROM measurement"), "\n") ==
          count(whole, "\n") + count(full.out, "\"event\":\"measured\""));
    REQUIRE(sweep(db, folder.path("cache"), shapes).exit_code == 0);
    CHECK_THAT(query_csv(db, "SELECT id, measured_at FROM measurement ORDER BY id"),
               ContainsSubstring(whole));
    REQUIRE(sweep(folder.path("b.db"), folder.path("cache"), shapes).exit_code == 0);
    CHECK(query_csv(db, kRows) == query_csv(folder.path("b.db"), kRows));
}

TEST_CASE("A sweep whose cache is full says so and goes on when there is space") {
    const TemporaryFolder folder;
    const SmallDisk disk(folder, "40k");
    const std::string db = folder.path("a.db");
    const ProgramResult full = sweep(db, disk.path("cache"), {"1x64x256"});
    INFO(full.err);
    CHECK(full.exit_code == 3);
    CHECK_THAT(full.err, ContainsSubstring("No space left on device"));
    CHECK_THAT(full.err, ContainsSubstring("--cache-dir"));
    CHECK(query_csv(db, "PRAGMA integrity_check") == kSound);
    CHECK(query_csv(db, "SELECT count(*) FROM measurement WHERE status <> 'correct'") ==
          "count(*)\n0\n");

    disk.resize("size=10m");
    CHECK(sweep(db, disk.path("cache"), {"1x64x256"}).exit_code == 0);
    REQUIRE(sweep(folder.path("b.db"), disk.path("cache"), {"1x64x256"}).exit_code == 0);
    CHECK(query_csv(db, kRows) == query_csv(folder.path("b.db"), kRows));
}

TEST_CASE("A database on a read-only disk can be read and is refused by a sweep") {
    const TemporaryFolder folder;
    const SmallDisk disk(folder, "10m");
    const std::string db = disk.path("a.db");
    REQUIRE(sweep(db, folder.path("cache"), {"1x64x256"}).exit_code == 0);
    const std::string rows = query_csv(db, kRows);
    disk.resize("ro");
    CHECK(query_csv(db, kRows) == rows);
    CHECK(run_fdkbench({"export-table", "--db", db}).exit_code == 0);
    const ProgramResult refused = sweep(db, folder.path("cache"), {"1x96x256"});
    INFO(refused.err);
    CHECK(refused.exit_code == 3);
    CHECK_THAT(refused.err, ContainsSubstring("is read-only: make it writable"));
    CHECK(count(refused.err, "\n") == 1);
    CHECK(query_csv(db, kRows) == rows);
}

TEST_CASE(
    "A quantised model that does not fit leaves what there was, and fits when there is space") {
    const TemporaryFolder folder;
    const std::string in = folder.path("in");
    fdkbench::write_safetensors(in, {waves("a.weight", 1024, 1024)});
    const SmallDisk disk(folder, "500k");
    const std::string out = disk.path("out");
    std::ofstream(out) << "before";
    const ProgramResult full = run_fdkbench({"quantise", in, "-o", out});
    INFO(full.err);
    CHECK(full.exit_code == 3);
    CHECK_THAT(full.err, ContainsSubstring("cannot write " + out + ": No space left on device"));
    CHECK(count(full.err, "\n") == 1);
    CHECK(files_in(disk.path("")) == std::set<std::string>{"out"});
    CHECK(std::filesystem::file_size(out) == 6);

    disk.resize("size=10m");
    CHECK(run_fdkbench({"quantise", in, "-o", out}).exit_code == 0);
    CHECK(files_in(disk.path("")) == std::set<std::string>{"out"});
}
