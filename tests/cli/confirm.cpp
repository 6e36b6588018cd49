#include "tests/cli/small_sweep.hpp"

#include <algorithm>
#include <fstream>

using namespace fdkbench::test;

namespace {

/// Notes each worker that starts.
class CountedWorkers {
  public:
    explicit CountedWorkers(HostDatabase& database) : log_(database.path("launched")) {
        const std::string script = database.path("launch.sh");
        std::ofstream(script) << "echo worker >>'" << log_ << "'\nexec " << one_processor()
                              << " \"$@\"\n";
        database.launch_with("sh " + script);
    }
    /// Since the last time.
    [[nodiscard]] int count() const {
        std::ifstream log(log_);
        const auto lines = std::count(std::istreambuf_iterator<char>(log), {}, '\n');
        std::filesystem::remove(log_);
        return static_cast<int>(lines);
    }

  private:
    std::string log_;
};

/// On a noisy machine one sweep may leave a cell in doubt, and another goes on.
void confirm_until_sure(const HostDatabase& database, const std::vector<std::string>& options) {
    for (int i = 0; i < 10; ++i) {
        require_done(database.sweep(options));
        const ProgramResult plan = database.sweep(joined(options, {"--dry-run"}));
        require_done(plan);
        if (plan.out.find("to confirm") == std::string::npos) {
            return;
        }
    }
    FAIL("the winner is still in doubt");
}

}  // namespace

TEST_CASE("A confirmed sweep, begun again, measures nothing and starts no worker") {
    HostDatabase database;
    const CountedWorkers workers(database);
    const std::vector<std::string> options{"--confirm", "1"};
    confirm_until_sure(database, options);
    CHECK(workers.count() > 3);
    CHECK(database.value("SELECT processes > 1 FROM best") == "1");
    CHECK(database.value("SELECT count(*) FROM attempt") == "0");
    const std::string before =
        database.value("SELECT max(id), max(run_id), sum(samples) FROM measurement");

    const ProgramResult again = database.sweep(options);
    require_done(again);
    CHECK_THAT(again.err, ContainsSubstring("measured now: nothing, in 0.0 s"));
    CHECK(workers.count() == 1);  // which says what devices there are
    CHECK(database.value("SELECT max(id), max(run_id), sum(samples) FROM measurement") == before);
    CHECK(database.value("SELECT count(*) FROM run WHERE ended_at IS NULL") == "0");
}

TEST_CASE("Confirming a quick sweep later only confirms") {
    const HostDatabase database;
    require_done(database.sweep());
    CHECK(database.value("SELECT max(processes), max(process) FROM measurement JOIN sample ON"
                         " measurement_id = measurement.id") == "1,0");
    const std::string rows = database.value("SELECT count(*) FROM measurement");
    const ProgramResult plan = database.sweep({"--confirm", "1", "--dry-run"});
    CHECK_THAT(plan.out, ContainsSubstring("to confirm  1 cell\n"));

    const ProgramResult confirmed = database.sweep({"--confirm", "1"});
    require_done(confirmed);
    CHECK_THAT(confirmed.err, ContainsSubstring("measured now: nothing"));
    CHECK(database.value("SELECT count(*) FROM measurement") == rows);
    CHECK(database.value("SELECT processes > 1 FROM best") == "1");
    // What was timed again has the samples of both processes, what was not is untouched.
    CHECK(database.value("SELECT count(*) FROM measurement WHERE (processes > 1) <>"
                         " (run_id = (SELECT max(id) FROM run))") == "0");
    CHECK(database.value("SELECT count(*) FROM measurement WHERE samples <> (SELECT count(*) FROM"
                         " sample WHERE measurement_id = measurement.id)") == "0");
    CHECK(database.value("SELECT count(*) FROM measurement WHERE processes <> (SELECT"
                         " count(DISTINCT process) FROM sample WHERE measurement_id ="
                         " measurement.id)") == "0");
    CHECK(database.value("SELECT incumbent_id = candidate_id, margin FROM cell JOIN best ON"
                         " cell_id = cell.id") == "1,0.03");
    CHECK(database.value("SELECT count(*), min(device_s) > 0, count(ended_at) FROM run") ==
          "2,1,2");
}

TEST_CASE("A complete sweep times every kernel to the end") {
    const HostDatabase database;
    require_done(database.sweep({"--complete"}));
    CHECK(database.value("SELECT count(*) > 2, min(samples) >= 6 FROM measurement"
                         " WHERE status = 'correct'") == "1,1");
}

TEST_CASE("A sweep brings a database of version 1 up to date") {
    const HostDatabase database;
    database.change(
        "for name in 'results/schema.sql', 'tests/results/version_1.sql':\n"
        "    db.executescript(open('" +
        std::string(std::getenv("FDKBENCH_SOURCE")) + "/' + name).read())");
    const ProgramResult old = run_fdkbench({"query", "--db", database.db(), "SELECT 1"});
    CHECK(old.exit_code == 2);
    CHECK_THAT(old.err, ContainsSubstring("older version: fdkbench sweep brings it up to date"));

    require_done(database.sweep());
    CHECK(database.value("PRAGMA user_version") == "3");
    CHECK(database.value("SELECT ratio FROM best WHERE policy LIKE '%-v1'") == "2.0");
    CHECK(database.value("SELECT count(*) FROM best WHERE policy LIKE '%-v6'") == "1");
    CHECK(database.value("SELECT count(DISTINCT key) = count(*) FROM run") == "1");
}
