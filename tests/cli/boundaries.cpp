#include "tests/cli/small_sweep.hpp"

#include <nlohmann/json.hpp>

using namespace fdkbench::test;
using Json = nlohmann::json;

namespace {

ProgramResult sweep_two(const HostDatabase& database, const std::vector<std::string>& more) {
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
                                "--shape",
                                "6x64x256",
                                "18x64x256"},
                               more));
}

/// Makes a kernel with tiles of 4 rows the confirmed winner of m=6 by far, and of m=18 one with 8.
void part_winners(const HostDatabase& database) {
    std::vector<std::string> statements;
    for (const auto& [m, m_tile] : {std::pair{6, 4}, std::pair{18, 8}}) {
        statements.push_back(
            "UPDATE measurement SET ratio = 1000, ratio_lo = 999, ratio_hi = 1001, samples = 6,"
            " processes = 5 WHERE id = (SELECT measurement_id FROM eligible WHERE m = " +
            std::to_string(m) +
            " AND json_extract(params, '$.m_tile') = " + std::to_string(m_tile) + " LIMIT 1)");
    }
    database.change_sql(statements);
}

/// m=6 and m=18 of one matrix, with different winners.
class SweptDatabase : public HostDatabase {
  public:
    SweptDatabase() {
        static const HostDatabase swept;
        static const bool is_first = [] {
            require_done(sweep_two(swept, {}));
            part_winners(swept);
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
    REQUIRE(entries.size() == 4);
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
    // Only the two kernels that won were compared.
    CHECK(database.value("SELECT max(kernels), min(kernels) FROM (SELECT count(*) AS kernels FROM"
                         " candidates_flat WHERE m NOT IN (6, 18) GROUP BY m)") == "2,2");

    const std::string rows = database.value(kRows);
    const ProgramResult second = sweep_two(database, {"--boundaries"});
    require_done(second);
    CHECK_THAT(second.err, ContainsSubstring("measured now: nothing"));
    CHECK(second.out == first.out);
    CHECK(database.value(kRows) == rows);

    // An ordinary sweep there has all the others to measure.
    const ProgramResult ordinary = sweep_two(database, {"12x64x256", "--dry-run"});
    require_done(ordinary);
    const int at_12 = std::stoi(database.value("SELECT count(*) FROM candidates_flat WHERE m = 6"));
    CHECK_THAT(ordinary.out,
               ContainsSubstring("candidates  " + std::to_string(3 * at_12) + ", " +
                                 std::to_string(2 * at_12 + 2) + " of them already measured"));

    // What an interrupted sweep left half done is completed and confirmed.
    database.change_sql(
        {"DELETE FROM sample WHERE measurement_id = (SELECT max(id) FROM measurement)",
         "DELETE FROM measurement WHERE id = (SELECT max(id) FROM measurement)"});
    const ProgramResult completed = sweep_two(database, {"--boundaries", "--confirm", "1"});
    require_done(completed);
    CHECK_THAT(completed.err, ContainsSubstring("the table's boundaries: 2 cells to measure\n"));
    CHECK(database.value("SELECT count(*) FROM (SELECT count(*) AS kernels FROM candidates_flat"
                         " WHERE m NOT IN (6, 18) GROUP BY m) WHERE kernels <> 2") == "0");
    const std::string decided = "SELECT count(*) FROM cell WHERE m = 12 AND decided_at IS NOT NULL";
    CHECK(database.value(decided) == "1");
    CHECK(database.value("SELECT processes > 1 FROM best WHERE m = 12") == "1");

    // The others are raced and decided with those two.
    require_done(sweep_two(database, {"12x64x256", "--confirm", "1"}));
    CHECK(database.value("SELECT count(*) FROM candidates_flat WHERE m = 12") ==
          std::to_string(at_12));
    CHECK(database.value("SELECT count(*) FROM cell WHERE m = 12 AND decided_at = (SELECT"
                         " max(measured_at) FROM measurement WHERE cell_id = cell.id)") == "1");
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
