#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>

using namespace fdkbench::test;
using Json = nlohmann::json;

namespace {

/// A sweep on the CPU that takes seconds, with its own database and cache.
std::vector<std::string> small_sweep(const TemporaryFolder& folder,
                                     const std::vector<std::string>& more = {}) {
    return joined(
        joined(host_sweep(folder.path("a.db"), folder.path("cache"), {"1x96x512", "5x96x512"}),
               {"-g", "64", "-j", "2"}),
        more);
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::string query_csv(const TemporaryFolder& folder, const std::string& sql) {
    return fdkbench::test::query_csv(folder.path("a.db"), sql);
}

void check_table_and_queries(const TemporaryFolder& folder) {
    const std::vector<std::string> best = lines_of(
        query_csv(folder, "SELECT m, n, k, bits, family, time_us, ratio, nrmse FROM best"));
    REQUIRE(best.size() == 3);
    CHECK(best[0] == "m,n,k,bits,family,time_us,ratio,nrmse");
    CHECK_THAT(query_csv(folder, "SELECT DISTINCT status FROM candidates_flat"),
               ContainsSubstring("correct"));
    CHECK(lines_of(query_csv(folder, "SELECT count(*) FROM sample")).at(1) != "0");

    const ProgramResult table = run_fdkbench({"export-table", "--db", folder.path("a.db")});
    REQUIRE(table.exit_code == 0);
    const Json json = Json::parse(table.out);
    CHECK(json.at("schema_version") == 6);
    REQUIRE(json.at("entries").size() == 2);
    for (const char* key : {"m",
                            "n",
                            "k",
                            "bits",
                            "group_size",
                            "family",
                            "params",
                            "launch",
                            "binary_hash",
                            "layout",
                            "launch_mode",
                            "time_us",
                            "ratio",
                            "nrmse"}) {
        CHECK(json.at("entries").at(0).contains(key));
    }

    const std::string header = folder.path("table.hpp");
    REQUIRE(run_fdkbench(
                {"export-table", "--db", folder.path("a.db"), "--format", "header", "-o", header})
                .exit_code == 0);
    const std::string program = folder.path("lookup.cpp");
    std::ofstream(program) << "#include \"" << header
                           << "\"\nstatic_assert(fdkbench_table::find(5, 96, 512, 4, 64) != "
                              "nullptr);\nstatic_assert(fdkbench_table::find(5, 96, 512, 2, 64) "
                              "== nullptr);\nint main() {}\n";
    const ProgramResult compiled =
        run_shell("c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only " + program);
    INFO(compiled.err);
    CHECK(compiled.exit_code == 0);

    const ProgramResult csv =
        run_fdkbench({"export-table", "--db", folder.path("a.db"), "--format", "csv"});
    CHECK(lines_of(csv.out).size() == 3);
}

}  // namespace

TEST_CASE("A sweep measures, and the same sweep again measures nothing") {
    const TemporaryFolder folder;
    const ProgramResult plan = run_fdkbench(small_sweep(folder, {"--dry-run"}));
    INFO(plan.err);
    REQUIRE(plan.exit_code == 0);
    CHECK_THAT(plan.out, ContainsSubstring("candidates"));
    CHECK_FALSE(std::filesystem::exists(folder.path("a.db")));

    const ProgramResult first = run_fdkbench(small_sweep(folder));
    INFO(first.err);
    REQUIRE(first.exit_code == 0);
    CHECK_THAT(first.err, ContainsSubstring("correct"));
    CHECK_THAT(first.out, ContainsSubstring("host_lut"));
    const std::string rows = query_csv(folder, "SELECT count(*), max(run_id) FROM measurement");

    const ProgramResult second = run_fdkbench(small_sweep(folder));
    CHECK(second.exit_code == 0);
    CHECK_THAT(second.err, ContainsSubstring("measured now: nothing"));
    CHECK(second.out == first.out);
    CHECK(query_csv(folder, "SELECT count(*), max(run_id) FROM measurement") == rows);

    check_table_and_queries(folder);
}

TEST_CASE("With --json every line of standard output is an event") {
    const TemporaryFolder folder;
    const ProgramResult result =
        run_fdkbench(small_sweep(folder, {"--json", "-m", "1", "-k", "64", "-b", "1"}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    std::vector<std::string> events;
    for (const std::string& line : lines_of(result.out)) {
        events.push_back(Json::parse(line).at("event"));
    }
    REQUIRE_FALSE(events.empty());
    CHECK(events.front() == "planned");
    CHECK(events.back() == "summary");
    CHECK(std::count(events.begin(), events.end(), "measured") > 0);
}

TEST_CASE("An interrupted sweep keeps what it has and goes on later") {
    const TemporaryFolder folder;
    const std::vector<std::string> sweep = small_sweep(folder, {"-m", "1", "2", "3", "-k", "512"});
    const std::string events = folder.path("events");
    const ProgramResult interrupted =
        run_shell(fdkbench_command(sweep) + " --json >'" + events +
                  "' & pid=$!; until grep -q '\"measured\"' '" + events +
                  "' || ! kill -0 $pid; do sleep 0.05; done; kill -INT $pid; wait $pid");
    INFO(interrupted.err);
    CHECK(interrupted.exit_code == 1);
    CHECK_THAT(interrupted.err, ContainsSubstring("Interrupted"));
    CHECK_THAT(query_csv(folder, "PRAGMA integrity_check"), ContainsSubstring("ok"));
    const int kept =
        std::stoi(lines_of(query_csv(folder, "SELECT count(*) FROM measurement")).at(1));
    CHECK(kept > 0);

    const ProgramResult resumed = run_fdkbench(sweep);
    CHECK(resumed.exit_code == 0);
    const std::string both =
        "SELECT count(DISTINCT run_id), count(DISTINCT cell_id) FROM measurement";
    CHECK(lines_of(query_csv(folder, both)).at(1) == "2,5");
    CHECK_THAT(run_fdkbench(sweep).err, ContainsSubstring("measured now: nothing"));
}

TEST_CASE("Output that cannot be written is an error") {
    for (const std::string command : {"--version", "devices", "sweep --help"}) {
        const ProgramResult result = run_shell("\"$FDKBENCH\" " + command + " >/dev/full");
        INFO(command);
        CHECK(result.exit_code == 3);
        CHECK_FALSE(result.err.empty());
    }
}

TEST_CASE("Output can be piped and cut off") {
    const TemporaryFolder folder;
    const ProgramResult result = run_shell("\"$FDKBENCH\" sweep --help | head -n 1");
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
    const ProgramResult devices = run_fdkbench({"devices", "--json"});
    CHECK(devices.exit_code == 0);
    CHECK_FALSE(Json::parse(devices.out).empty());
}
