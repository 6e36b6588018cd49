#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <fstream>
#include <iterator>

using namespace fdkbench::test;
namespace fs = std::filesystem;

namespace {

/// A compiler that answers questions but never ends a compilation, which first makes the file
/// `started`.
std::string endless_compiler(const TemporaryFolder& folder) {
    const std::string path = folder.path("endless-c++");
    std::ofstream(path) << "#!/bin/sh\ncase \"$*\" in *-shared*) touch '" << folder.path("started")
                        << "'; sleep 1000;; *) exec c++ \"$@\";; esac\n";
    fs::permissions(path, fs::perms::owner_all);
    return path;
}

/// A sweep of these cells, as a shell command; its processes carry the folder in their environment.
std::string sweep_command(const TemporaryFolder& folder, const std::vector<std::string>& shapes) {
    return "env FDKBENCH_TEST='" + folder.path() + "' TMPDIR='" + folder.path() + "' " +
           fdkbench_command(joined(host_sweep(folder.path("a.db"), folder.path("cache"), shapes),
                                   {"--cache-bytes-factor", "0.01", "-j", "1"}));
}

/// Shell commands that wait for a condition, for as long as only a failure takes.
std::string wait_until(const std::string& condition) {
    return "i=0; until " + condition + " || [ $i = 1200 ]; do sleep 0.05; i=$((i + 1)); done; ";
}

bool runs(const TemporaryFolder& folder, const fs::path& process) {
    std::ifstream file(process / "environ", std::ios::binary);
    const std::string environment{std::istreambuf_iterator<char>(file), {}};
    return environment.find("FDKBENCH_TEST=" + folder.path()) != std::string::npos;
}

/// How many processes of the folder's sweeps there are.
int processes_of(const TemporaryFolder& folder) {
    int count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        count += runs(folder, entry.path()) ? 1 : 0;
    }
    return count;
}

void check_none_left(const TemporaryFolder& folder) {
    for (int i = 0; i < 300 && processes_of(folder) > 0; ++i) {
        run_shell("sleep 0.1");
    }
    CHECK(processes_of(folder) == 0);
}

std::string query(const TemporaryFolder& folder, const std::string& sql) {
    return query_csv(folder.path("a.db"), sql);
}

const std::string kRows = "SELECT id, cell_id, candidate_id, measured_at FROM measurement";

}  // namespace

TEST_CASE("A signal ends a sweep whatever it waits for, with its rows and the summary") {
    const TemporaryFolder folder;
    const std::string signal = GENERATE("INT", "TERM");
    CAPTURE(signal);
    REQUIRE(run_shell(sweep_command(folder, {"1x64x256"})).exit_code == 0);
    const std::string rows = query(folder, kRows);

    const ProgramResult result =
        run_shell("CXX='" + endless_compiler(folder) + "' " +
                  sweep_command(folder, {"1x64x256", "1x96x256"}) + " & pid=$!; " +
                  wait_until("[ -e '" + folder.path("started") + "' ]") + "kill -" + signal +
                  " $pid; wait $pid");
    INFO(result.err);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.err, ContainsSubstring("Interrupted; everything measured is kept"));
    CHECK_THAT(result.out, ContainsSubstring("host_lut"));
    CHECK(query(folder, kRows) == rows);
    check_none_left(folder);
}

TEST_CASE("A second signal ends a sweep at once that cannot end at the first") {
    const TemporaryFolder folder;
    const std::string signal = GENERATE("INT", "TERM");
    CAPTURE(signal);
    REQUIRE(run_shell(sweep_command(folder, {"1x64x256"})).exit_code == 0);
    const std::string rows = query(folder, kRows);

    // The end of a run is written to the database, which another program has locked: SQLite waits
    // ten seconds for it.
    const std::string lock =
        "python3 -c \"import sqlite3, sys, time; db = sqlite3.connect('" + folder.path("a.db") +
        "', isolation_level=None); db.execute('BEGIN IMMEDIATE'); open('" + folder.path("locked") +
        "', 'w').close(); time.sleep(100)\" & lock=$!; ";
    const ProgramResult result = run_shell(
        "CXX='" + endless_compiler(folder) + "' " +
        sweep_command(folder, {"1x64x256", "1x96x256"}) + " & pid=$!; " +
        wait_until("[ -e '" + folder.path("started") + "' ]") + lock +
        wait_until("[ -e '" + folder.path("locked") + "' ]") + "kill -" + signal +
        " $pid; sleep 0.5; kill -" + signal + " $pid; wait $pid; code=$?; kill $lock; exit $code");
    INFO(result.err);
    CHECK(result.exit_code == (signal == "INT" ? 128 + 2 : 128 + 15));
    CHECK(query(folder, kRows) == rows);
    check_none_left(folder);
}

TEST_CASE("Workers and compilers end when the coordinator is killed") {
    const TemporaryFolder folder;
    run_shell("CXX='" + endless_compiler(folder) + "' " + sweep_command(folder, {"1x64x256"}) +
              " & pid=$!; " + wait_until("[ -e '" + folder.path("started") + "' ]") +
              "kill -KILL $pid; wait $pid");
    REQUIRE(fs::exists(folder.path("started")));
    check_none_left(folder);
    CHECK(query(folder, "PRAGMA integrity_check") == "integrity_check\nok\n");
    // The next sweep goes on, and clears away what the killed one left.
    CHECK(run_shell(sweep_command(folder, {"1x64x256"})).exit_code == 0);
    for (const auto& entry : fs::directory_iterator(folder.path())) {
        CHECK_THAT(entry.path().filename().string(), !ContainsSubstring("scratch"));
    }
}
