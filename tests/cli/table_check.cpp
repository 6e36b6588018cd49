#include "tests/cli/refused.hpp"
#include "tests/cli/small_sweep.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

using namespace fdkbench::test;
using Json = nlohmann::json;

namespace {

/// m = 1 and 16 of one matrix.
const HostDatabase& swept() {
    static const HostDatabase database;
    static const bool done = [] {
        require_done(database.sweep({"--shape", "16x64x256"}));
        return true;
    }();
    REQUIRE(done);
    return database;
}

ProgramResult check(const HostDatabase& database, const std::vector<std::string>& more) {
    return database.run("table-check", joined({"--race-time", "1s", "--confirm", "1"}, more));
}

/// The last event.
Json report(const ProgramResult& result) {
    INFO(result.out << result.err);
    REQUIRE(result.exit_code <= 1);
    const std::string lines = result.out.substr(0, result.out.size() - 1);
    return Json::parse(lines.substr(lines.rfind('\n') + 1));
}

std::vector<std::string> generous() {
    return {"--max-mean-loss", "1000%", "--max-loss", "1000%", "--json"};
}

/// What it says adds up, whatever the noise made of the times.
void check_consistent(const Json& json, int exit_code) {
    double logs = 0;
    double worst = 0;
    int slower = 0;
    for (const Json& problem : json.at("problems")) {
        INFO(problem.dump());
        const double loss = problem.at("loss");
        CHECK(problem.at("status") == "correct");
        const double best = problem.at("best").at("ratio");
        CHECK(loss ==
              Approx(std::max(0.0, best / problem.at("ratio").get<double>() - 1)).margin(1e-12));
        logs += std::log1p(loss);
        worst = std::max(worst, loss);
        slower += problem.at("ratio") < 1 ? 1 : 0;
    }
    const auto count = static_cast<double>(json.at("problems").size());
    CHECK(json.at("mean_loss") == Approx(std::expm1(logs / count)).margin(1e-12));
    CHECK(json.at("worst_loss") == worst);
    CHECK(json.at("slower") == slower);
    CHECK(json.at("wrong") == 0);
    CHECK(json.at("not_measured") == 0);
    CHECK(exit_code == (slower > 0 ? 1 : 0));
}

}  // namespace

TEST_CASE("A check measures what was not swept, apart from the table's measurements, and once") {
    const HostDatabase& database = swept();
    const std::string rows = "SELECT count(*), max(run_id) FROM measurement";
    const std::string before = database.value(rows);
    const std::vector<std::string> shapes{"--shape", "12x64x256", "1x64x512"};
    const ProgramResult first = check(database, joined(shapes, generous()));
    const Json json = report(first);
    check_consistent(json, first.exit_code);
    REQUIRE(json.at("problems").size() == 2);
    CHECK(json.at("problems")[0].at("k") == 256);
    CHECK(json.at("problems")[0].at("extrapolated") == false);
    CHECK(json.at("problems")[1].at("k") == 512);
    CHECK(json.at("problems")[1].at("extrapolated") == true);
    CHECK_THAT(first.err,
               ContainsSubstring("to check: 2 problems") &&
                   ContainsSubstring("n=64 k=512 bits=4 group_size=64 bf16 (not swept): m = 1\n"));
    CHECK(database.value(rows) == before);

    // The choice was confirmed beside the best, and the same command has nothing left to do.
    const std::string check_db = database.db() + ".check";
    const auto row_of = [](const Json& kernel) {
        return "abs(time_us - " + kernel.at("time_us").dump() + ") < 1e-6";
    };
    for (const Json& problem : json.at("problems")) {
        CHECK_THAT(query_csv(check_db,
                             "SELECT min(processes) = 2 FROM measurement WHERE " + row_of(problem) +
                                 " OR " + row_of(problem.at("best"))),
                   ContainsSubstring("\n1"));
    }
    const std::string measured = query_csv(check_db, rows);
    CHECK(report(check(database, joined(shapes, generous()))) == json);
    CHECK(query_csv(check_db, rows) == measured);
    CHECK_THAT(query_csv(check_db, "SELECT count(*) FROM run"), ContainsSubstring("\n1"));

    // As if the choice had been a hundred times slower than the others.
    const ProgramResult changed = run_shell(
        "python3 -c \"import sqlite3; db = sqlite3.connect('" + check_db +
        "'); db.execute('UPDATE measurement SET processes = 1'); db.execute('UPDATE measurement "
        "SET ratio = ratio / 100 WHERE " +
        row_of(json.at("problems")[1]) + "'); db.commit()\"");
    INFO(changed.err);
    REQUIRE(changed.exit_code == 0);
    const ProgramResult lost = check(database, shapes);
    INFO(lost.out << lost.err);
    CHECK(lost.exit_code == 1);
    CHECK_THAT(lost.out,
               ContainsSubstring("m=1 n=64 k=512 bits=4 group_size=64 bf16 *") &&
                   ContainsSubstring("; best: host_lut ") &&
                   ContainsSubstring("2 problems: loss "));
    CHECK_THAT(lost.err, ContainsSubstring("--max-mean-loss") && ContainsSubstring("--max-loss"));
}

TEST_CASE("A choice that the check finds wrong is no gap") {
    const HostDatabase database;
    std::filesystem::copy_file(swept().db(), database.db());
    const std::string policy = "'cold5-normal-seed1-nrmse1e-12-v6'";
    database.change_sql({"UPDATE cell SET policy = " + policy,
                         "UPDATE run SET policy = " + policy +
                             ", policy_json = json_set(policy_json, '$.max_nrmse', 1e-12)"});
    const ProgramResult result = check(database, {"--shape", "3x64x256"});
    INFO(result.out << result.err);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.out, ContainsSubstring("correctness: ") && ContainsSubstring("wrong: 1"));
    CHECK_THAT(result.err, ContainsSubstring("1 choice is wrong"));
}

TEST_CASE("What cannot be checked is refused with what to do") {
    const HostDatabase& database = swept();
    check_refused(
        check(database, {"--shape", "3x64x256", "-b", "2"}), 2, {"bits=2", "leave it out"});
    check_refused(check(database, {"-b", "2"}), 2, {"nothing to check", "--shape MxNxK"});
    check_refused(check(database, {"-k", "100"}), 2, {"100", "64"});
    check_refused(check(database, {"--shape", "3x64"}), 2, {"--shape '3x64'"});
    for (const std::string option : {"--max-loss", "--max-mean-loss"}) {
        for (const std::string value : {"0", "-1", "x", "5%%"}) {
            check_refused(
                check(database, {option + "=" + value}), 2, {option + " '" + value + "'"});
        }
    }
    const HostDatabase empty;
    check_refused(check(empty, {}), 2, {"a.db"});
}
