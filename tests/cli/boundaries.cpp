#include "tests/cli/small_sweep.hpp"

#include <nlohmann/json.hpp>

using namespace fdkbench::test;
using Json = nlohmann::json;

namespace {

/// Sweeps these shapes.
ProgramResult sweep(const HostDatabase& database, const std::vector<std::string>& more) {
    return database.run("sweep",
                        joined({"--quick",
                                "--race-time",
                                "1s",
                                "-b",
                                "4",
                                "-g",
                                "64",
                                "--include",
                                "host_lut",
                                "--shape"},
                               more));
}

ProgramResult sweep_two(const HostDatabase& database, const std::vector<std::string>& more) {
    return sweep(database, joined({"6x64x256", "18x64x256"}, more));
}

/// Makes a kernel with such tiles of rows the confirmed winner of an m by far.
void make_winner(const HostDatabase& database, int m, int m_tile) {
    database.change_sql(
        {"UPDATE measurement SET ratio = 1000, ratio_lo = 999, ratio_hi = 1001, samples = 6,"
         " processes = 5 WHERE id = (SELECT measurement_id FROM eligible WHERE m = " +
         std::to_string(m) + " AND json_extract(params, '$.m_tile') = " + std::to_string(m_tile) +
         " LIMIT 1)"});
}

/// m=6 and m=18 of one matrix, with different winners.
class SweptDatabase : public HostDatabase {
  public:
    SweptDatabase() {
        static const HostDatabase swept;
        static const bool is_first = [] {
            require_done(sweep_two(swept, {}));
            make_winner(swept, 6, 4);
            make_winner(swept, 18, 8);
            return true;
        }();
        REQUIRE(is_first);
        std::filesystem::copy_file(swept.db(), db());
    }
};

Json entries_of(const HostDatabase& database) {
    const ProgramResult table = run_fdkbench({"export-table", "--db", database.db()});
    require_done(table);
    return Json::parse(table.out).at("entries");
}

std::string kernels_at(const std::string& m) {
    return "SELECT count(*) FROM candidates_flat WHERE m = " + m;
}

const char* const kRows = "SELECT count(*), max(id), max(run_id) FROM measurement";

}  // namespace

TEST_CASE("A sweep with boundaries halves them down to a tile, and again measures nothing") {
    const SweptDatabase database;
    const ProgramResult plan = sweep_two(database, {"--boundaries", "--dry-run"});
    require_done(plan);
    CHECK_THAT(plan.out, ContainsSubstring("boundaries  1 cell to measure first"));
    CHECK(entries_of(database).size() == 2);

    const ProgramResult first = sweep_two(database, {"--boundaries"});
    require_done(first);
    const Json entries = entries_of(database);
    REQUIRE(entries.size() >= 4);
    // Of the whole tiles of 4 between 6 and 18, the middle one first.
    CHECK(database.value("SELECT m FROM cell ORDER BY id LIMIT 1 OFFSET 2") == "12");
    int changes = 0;
    for (std::size_t i = 1; i < entries.size(); ++i) {
        const Json& low = entries[i - 1];
        const Json& high = entries[i];
        CHECK(low["last_m"].get<int>() + 1 == high["first_m"].get<int>());
        if (low["params"] == high["params"]) {
            continue;
        }
        ++changes;
        const int m_tile = low["launch"]["tiling"]["m_tile"];
        INFO(low.dump() << "\n" << high.dump());
        CHECK((low["m"].get<int>() / m_tile + 1) * m_tile >= high["m"].get<int>());
    }
    CHECK(changes > 0);
    // There with all that a sweep would try, then the two or three that won before.
    const std::string swept = database.value(kernels_at("6"));
    CHECK(std::stoi(swept) > 3);
    CHECK(database.value(kernels_at("12")) == swept);
    CHECK(database.value("SELECT min(kernels) >= 2 AND max(kernels) <= 3 FROM (SELECT count(*) AS"
                         " kernels FROM candidates_flat WHERE m NOT IN (6, 12, 18) GROUP BY m)") ==
          "1");

    const std::string rows = database.value(kRows);
    const ProgramResult second = sweep_two(database, {"--boundaries"});
    require_done(second);
    CHECK_THAT(second.err, ContainsSubstring("measured now: nothing"));
    CHECK(second.out == first.out);
    CHECK(database.value(kRows) == rows);

    // An ordinary sweep has nothing left to measure at the one, and all others at a later one.
    const std::string later = database.value("SELECT max(m) FROM cell WHERE m IN (8, 16)");
    const std::string shape = later + "x64x256";
    const int all = std::stoi(swept);
    const int known = 3 * all + std::stoi(database.value(kernels_at(later)));
    const ProgramResult ordinary = sweep_two(database, {"12x64x256", shape, "--dry-run"});
    require_done(ordinary);
    CHECK_THAT(ordinary.out,
               ContainsSubstring("candidates  " + std::to_string(4 * all) + ", " +
                                 std::to_string(known) + " of them already measured"));

    // What an interrupted sweep left half done is completed and confirmed.
    database.change_sql(
        {"DELETE FROM sample WHERE measurement_id = (SELECT max(id) FROM measurement)",
         "DELETE FROM measurement WHERE id = (SELECT max(id) FROM measurement)"});
    const ProgramResult completed = sweep_two(database, {"--boundaries", "--confirm", "1"});
    require_done(completed);
    CHECK_THAT(completed.err,
               ContainsSubstring("the table's boundaries: " + std::to_string(entries.size() - 2) +
                                 " cells to measure\n"));
    CHECK(database.value("SELECT count(*) FROM (SELECT count(*) AS kernels FROM candidates_flat"
                         " GROUP BY m) WHERE kernels < 2") == "0");
    CHECK(database.value("SELECT count(*) FROM cell WHERE m IN (12, " + later +
                         ") AND decided_at IS NOT NULL") == "2");
    CHECK(database.value("SELECT processes > 1 FROM best WHERE m = " + later) == "1");

    // The others are raced and decided with those of the boundary.
    require_done(sweep_two(database, {shape, "--confirm", "1"}));
    CHECK(database.value(kernels_at(later)) == swept);
    CHECK(database.value("SELECT count(*) FROM cell WHERE m = " + later +
                         " AND decided_at = (SELECT max(measured_at) FROM measurement WHERE"
                         " cell_id = cell.id)") == "1");
}

TEST_CASE("A sweep with boundaries completes the cell that an interrupted one left half done") {
    const SweptDatabase database;
    require_done(sweep(database, {"12x64x256"}));
    make_winner(database, 12, 8);
    const std::string lost =
        "(SELECT measurement_id FROM candidates_flat WHERE m = 12 AND"
        " ratio < 1000)";
    database.change_sql({"DELETE FROM sample WHERE measurement_id IN " + lost,
                         "DELETE FROM measurement WHERE id IN " + lost});
    REQUIRE(database.value(kernels_at("12")) == "1");

    // As m=12 has its winner, the table changes kernels between 6 and 12 only.
    const ProgramResult plan = sweep_two(database, {"--boundaries", "--dry-run"});
    CHECK_THAT(plan.out, ContainsSubstring("boundaries  2 cells to measure first"));
    require_done(sweep_two(database, {"--boundaries"}));
    CHECK(database.value(kernels_at("12")) == database.value(kernels_at("6")));
    CHECK(database.value(kernels_at("8")) == "2");
    CHECK(database.value("SELECT count(*) FROM cell") == "4");

    const std::string rows = database.value(kRows);
    const ProgramResult again = sweep_two(database, {"--boundaries"});
    CHECK_THAT(again.err, ContainsSubstring("measured now: nothing"));
    CHECK(database.value(kRows) == rows);
}

TEST_CASE("A winner that a sweep does not try at a boundary is compared with all that it does") {
    const HostDatabase database;
    require_done(sweep(database, {"3x64x256", "18x64x256"}));
    make_winner(database, 3, 2);  // m=18 has tiles of 4 and 8
    make_winner(database, 18, 8);
    require_done(sweep(database, {"3x64x256", "18x64x256", "--boundaries"}));
    const std::string narrow = " AND json_extract(params, '$.m_tile') = 2";
    CHECK(database.value(kernels_at("18") + narrow) == "1");
    CHECK(database.value(kernels_at("10") + narrow) == "1");
    CHECK(database.value("SELECT count(*) FROM candidates_flat WHERE m = 18 AND params NOT IN"
                         " (SELECT params FROM candidates_flat WHERE m = 10)") == "0");
    CHECK(std::stoi(database.value(kernels_at("10"))) > 4);
}

TEST_CASE("Boundaries are those of the policy that is swept, of the matrices that are") {
    const SweptDatabase database;
    // The newest run follows another policy.
    require_done(database.run("sweep",
                              {"--quick",
                               "-b",
                               "4",
                               "--include",
                               "host_lut",
                               "--shape",
                               "1x64x128",
                               "--cache-policy",
                               "hot"}));
    const ProgramResult swept = sweep_two(database, {"--boundaries", "--dry-run"});
    CHECK_THAT(swept.out, ContainsSubstring("boundaries  1 cell to measure first"));
    const ProgramResult other =
        sweep_two(database, {"--boundaries", "--dry-run", "--cache-policy", "hot"});
    CHECK_THAT(other.out, ContainsSubstring("boundaries  0 cells to measure first"));
    const ProgramResult shard =
        sweep_two(database, {"--boundaries", "--dry-run", "--shard", "2/2"});
    CHECK_THAT(shard.out, ContainsSubstring("boundaries  1 cell to measure first"));
    const ProgramResult matrix =
        database.run("sweep", {"-b", "4", "--shape", "6x64x128", "--boundaries", "--dry-run"});
    CHECK_THAT(matrix.out, ContainsSubstring("boundaries  0 cells to measure first"));
}
