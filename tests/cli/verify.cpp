#include "tests/cli/small_sweep.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <regex>

using namespace fdkbench::test;
using Json = nlohmann::json;

namespace {

int occurrences(const std::string& text, const std::string& expression) {
    const std::regex pattern(expression);
    return static_cast<int>(
        std::distance(std::sregex_iterator(text.begin(), text.end(), pattern), {}));
}

/// What `verify` printed adds up, whatever this machine's noise made of it; returns how many of
/// the winners hold.
int check_consistent(const ProgramResult& result, int winners) {
    INFO(result.out << result.err);
    const std::regex totals(
        "(\\d+) kernels? measured again: (\\d+) hold, (\\d+) drifted, (\\d+) wrong, (\\d+) not "
        "measured\n");
    std::smatch found;
    REQUIRE(std::regex_search(result.out, found, totals));
    const auto total = [&](int group) { return std::stoi(found[group]); };
    CHECK(total(1) == winners);
    CHECK(total(2) + total(3) + total(4) + total(5) == winners);
    CHECK(occurrences(result.out, "m=\\d+ n=64 k=256 .* host_lut ") == winners);
    CHECK(occurrences(result.out, " holds") == total(2));
    CHECK(occurrences(result.out, "DRIFTED [+-]\\d+\\.\\d %") == total(3));
    CHECK(occurrences(result.out, "WRONG: ") == total(4));
    CHECK(occurrences(result.out, "not measured: .") == total(5));
    CHECK(result.exit_code == (total(3) + total(4) > 0 ? 1 : total(5) > 0 ? 3 : 0));
    return total(2);
}

/// Two cells.
HostDatabase& swept() {
    static HostDatabase database;
    static const bool done = [] {
        require_done(database.sweep({"--shape", "2x64x256"}));
        return true;
    }();
    REQUIRE(done);
    return database;
}

/// As if a stricter bound had held all along: every winner is wrong, which needs no race.
void make_strict(const HostDatabase& database) {
    const std::string policy = "'cold5-normal-seed1-nrmse1e-12-v6'";
    database.change_sql({"UPDATE cell SET policy = " + policy,
                         "UPDATE run SET policy = " + policy +
                             ", policy_json = json_set(policy_json, '$.max_nrmse', 1e-12)"});
}

/// A copy to change.
void copy(const HostDatabase& from, const HostDatabase& to) {
    std::filesystem::copy_file(from.db(), to.db());
}

}  // namespace

TEST_CASE("Verifying measures every winner again, changes nothing and writes a ledger") {
    const HostDatabase& database = swept();
    const std::string before = database.value("SELECT max(id), max(run_id) FROM measurement");
    const std::string path = database.path("ledger.json");
    check_consistent(database.run("verify", {"--ledger", path}), 2);
    CHECK(database.value("SELECT max(id), max(run_id) FROM measurement") == before);
    CHECK(database.value("SELECT count(*) FROM run") == "1");

    std::ifstream file(path);
    const Json ledger = Json::parse(file);
    CHECK(ledger.at("schema") == "fdkbench-ledger");
    CHECK(ledger.at("device").at("arch") != "");
    CHECK(ledger.at("compiler") != "");
    CHECK(std::regex_match(ledger.at("date").get<std::string>(),
                           std::regex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ")));
    std::size_t problems = 0;
    for (const Json& kernel : ledger.at("kernels")) {
        problems += kernel.at("problems").size();
        CHECK(kernel.at("nrmse") > 0);
        CHECK(kernel.at("nrmse") < 0.004);
        CHECK(database.value("SELECT count(*) > 0 FROM best WHERE binary_hash = '" +
                             kernel.at("binary_hash").get<std::string>() + "'") == "1");
    }
    CHECK(problems == 2);
}

TEST_CASE("A winner that was stored as much faster has drifted; one sample cannot be verified") {
    const HostDatabase database;
    copy(swept(), database);
    database.change_sql(
        {"UPDATE measurement SET ratio = 1e6, ratio_lo = 999999, ratio_hi = 1000001"
         " WHERE id = (SELECT measurement_id FROM best WHERE m = 1)",
         "UPDATE measurement SET ratio = 1e6, ratio_lo = NULL, ratio_hi = NULL"
         " WHERE id = (SELECT measurement_id FROM best WHERE m = 2)"});
    const ProgramResult result = database.run("verify");
    CHECK(check_consistent(result, 2) == 0);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.out,
               ContainsSubstring("0 hold, 1 drifted, 0 wrong, 1 not measured") &&
                   ContainsSubstring("[999999.000, 1000001.000]") && ContainsSubstring("[-, -]"));
}

TEST_CASE("Of several policies the newest is read, and said aloud, or the one that is asked for") {
    const HostDatabase database;
    copy(swept(), database);
    require_done(database.sweep({"--inputs", "uniform"}));
    const std::string note =
        "Measured under cold5-uniform-seed1-nrmse0.004-v6, the policy of the newest run; --policy "
        "takes others: cold5-normal-seed1-nrmse0.004-v6\n";

    const ProgramResult newest = database.run("verify");
    check_consistent(newest, 1);
    CHECK_THAT(newest.err, ContainsSubstring(note));
    const ProgramResult asked = database.run("verify", {"--policy", "normal"});
    check_consistent(asked, 2);
    CHECK_THAT(asked.err, !ContainsSubstring("Measured under"));

    const auto exported = [&](const std::vector<std::string>& more) {
        return run_fdkbench(joined({"export-table", "--db", database.db()}, more));
    };
    CHECK(Json::parse(exported({}).out).at("entries").size() == 1);
    CHECK_THAT(exported({}).err, ContainsSubstring(note));
    const Json table = Json::parse(exported({"--policy", "normal"}).out);
    CHECK(table.at("entries").size() == 2);
    CHECK(table.at("policy") == "cold5-normal-seed1-nrmse0.004-v6");
    const ProgramResult why = run_fdkbench({"explain",
                                            "--db",
                                            database.db(),
                                            "--policy",
                                            "normal",
                                            "-m",
                                            "2",
                                            "-n",
                                            "64",
                                            "-k",
                                            "256",
                                            "-b",
                                            "4"});
    require_done(why);
    CHECK_THAT(why.err, !ContainsSubstring("Measured under"));
    const ProgramResult refused = exported({"--policy", "hot"});
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err,
               ContainsSubstring("--policy 'hot' is not there: give one of cold5-uniform"));
}

TEST_CASE("Winners whose output is not good enough are wrong, and not in the ledger") {
    const HostDatabase database;
    copy(swept(), database);
    make_strict(database);
    const std::string ledger = database.path("ledger.json");
    const ProgramResult result = database.run("verify", {"--ledger", ledger});
    CHECK(check_consistent(result, 2) == 0);
    CHECK_THAT(result.out,
               ContainsSubstring("WRONG: correctness: ") && ContainsSubstring("2 wrong"));
    std::ifstream file(ledger);
    CHECK(Json::parse(file).at("kernels").empty());

    for (const std::string share : {"50%", "1", "0.1%"}) {
        check_consistent(database.run("verify", {"--sample", share}), 1);
    }
}

TEST_CASE("A winner of a family that is gone is not measured, the others are") {
    const HostDatabase database;
    copy(swept(), database);
    make_strict(database);
    database.change_sql(
        {"UPDATE candidate SET family = 'former' WHERE id ="
         " (SELECT candidate_id FROM best WHERE m = 1)"});
    const ProgramResult result = database.run("verify");
    INFO(result.out << result.err);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.out,
               ContainsSubstring("not measured: this fdkbench has no such kernel") &&
                   ContainsSubstring("former") && ContainsSubstring("1 not measured"));
}

TEST_CASE("Without measurements of the device or the policy there is nothing to verify") {
    const HostDatabase database;
    copy(swept(), database);
    SECTION("of another device") {
        database.change_sql({"UPDATE device SET key = 'another'"});
        const ProgramResult result = database.run("verify");
        CHECK(result.exit_code == 2);
        CHECK_THAT(result.err,
                   ContainsSubstring("has no measurements of host") &&
                       ContainsSubstring("run fdkbench sweep first"));
    }
    SECTION("of another version of the method") {
        database.change_sql({"UPDATE run SET policy = replace(policy, '-v6', '-v1')",
                             "UPDATE cell SET policy = replace(policy, '-v6', '-v1')"});
        const ProgramResult result = database.run("verify");
        CHECK(result.exit_code == 2);
        CHECK_THAT(result.err,
                   ContainsSubstring("cold5-normal-seed1-nrmse0.004-v1") &&
                       ContainsSubstring("sweep again"));
    }
}

TEST_CASE("The noise budget has three parts and says which differences show") {
    const HostDatabase& database = swept();
    const ProgramResult result =
        database.run("noise", {"-m", "1", "-n", "64", "-k", "256", "-b", "4", "--processes", "2"});
    require_done(result);
    CHECK_THAT(result.out, ContainsSubstring("2 processes"));
    const std::string winner = database.value("SELECT family FROM best WHERE m = 1");
    CHECK_THAT(result.out, ContainsSubstring("bf16: " + winner));
    CHECK(occurrences(result.out, " between [^\n]* \\d+\\.\\d\\d %\n") == 3);
    CHECK(occurrences(result.out, " in [^\n]* \\d+\\.\\d\\d %\n") == 2);
    CHECK(occurrences(result.out, " %\n") == 5);
}

TEST_CASE("The noise of a cell that no sweep has seen is that of a first guess") {
    const HostDatabase database;
    const ProgramResult result =
        database.run("noise", {"-m", "1", "-n", "64", "-k", "256", "-b", "4", "--processes", "2"});
    require_done(result);
    CHECK_THAT(result.out, ContainsSubstring("m=1 n=64 k=256 bits=4 group_size=64 bf16: host_"));
    CHECK_FALSE(std::filesystem::exists(database.db()));
}
