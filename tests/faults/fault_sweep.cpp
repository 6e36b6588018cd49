#include "tests/faults/fault_sweep.hpp"

#include "tests/catch.hpp"
#include "tests/faults/fault.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

namespace fdkbench::test {
namespace {

using Json = nlohmann::json;

const std::string kGoodDb = "good.db";
const std::string kFaultyDb = "faulty.db";
const std::string kSelectGood =
    "SELECT family, params, status, message, repeatable FROM candidates_flat"
    " WHERE family NOT LIKE '%faulty' ORDER BY family, params";

std::vector<std::string> lines_of_file(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }
    return lines;
}

void check_fault(const Fault& fault, const std::string& backend, const Json& row) {
    CAPTURE(row.dump());
    CHECK(row.at("status") == to_string(fault.status));
    const std::string message = row.at("message");
    CHECK(message.empty() == (fault.status == CandidateStatus::kCorrect));
    CHECK_THAT(message, ContainsSubstring(message_on(fault, backend)));
}

/// Reaps the dead processes whose parents have died; returns the names of those among them that a
/// living parent should have reaped, and whether any still runs.
struct Orphans {
    std::vector<std::string> unreaped_workers;
    bool any_runs = false;
};
Orphans reap_orphans() {
    Orphans orphans;
    siginfo_t info{};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        if (info.si_pid == 0) {
            orphans.any_runs = true;
            return orphans;
        }
        std::string name;
        std::getline(std::ifstream("/proc/" + std::to_string(info.si_pid) + "/comm"), name);
        // A compiler's parts die with their parent, which then reaps nothing.
        if (name.starts_with("fdkbench")) {
            orphans.unreaped_workers.push_back(name);
        }
        waitpid(info.si_pid, nullptr, 0);
        info = {};
    }
    return orphans;
}

}  // namespace

FaultSweep::FaultSweep(std::string backend, std::string good)
    : backend_(std::move(backend)), good_(std::move(good)) {
    std::filesystem::create_directory(folder_.path("tmp"));
    // What outlives its parent becomes this program's child.
    REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
}

std::vector<std::string> FaultSweep::arguments(const std::string& db,
                                               const std::string& include) const {
    // The good kernels come out of the cache in the second sweep, and are given all time in the
    // first: the short limits meet the faulty ones alone.
    std::vector<std::string> arguments{"sweep", "--device", backend_, "--quick", "-b", "16"};
    for (const std::string& word : std::vector<std::string>{"--shape",
                                                            "3x128x256",
                                                            "--cache-bytes-factor",
                                                            "0.05",
                                                            "-j",
                                                            "2",
                                                            "--cache-dir",
                                                            folder_.path("cache"),
                                                            "--db",
                                                            folder_.path(db),
                                                            "--include",
                                                            include}) {
        arguments.push_back(word);
    }
    if (db == kFaultyDb) {
        for (const std::string word : {"--candidate-timeout", "2s", "--compile-timeout", "8s"}) {
            arguments.push_back(word);
        }
    }
    return arguments;
}

void FaultSweep::sweep(const std::string& db, const std::string& include) const {
    const ProgramResult result = run_fdkbench(
        arguments(db, include),
        {{"TMPDIR", folder_.path("tmp")}, {"FDKBENCH_TEST_STARTS", folder_.path(db + ".starts")}});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
}

void FaultSweep::run() {
    sweep(kGoodDb, good_);
    sweep(kFaultyDb, good_ + "|faulty");
}

Json FaultSweep::query(const std::string& db, const std::string& sql) const {
    const ProgramResult result =
        run_fdkbench({"query", "--db", folder_.path(db), "--format", "json", sql});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return Json::parse(result.out);
}

void FaultSweep::check_every_fault_has_its_status() const {
    std::map<std::string, Json> rows;
    for (const Json& row : query(kFaultyDb,
                                 "SELECT json_extract(params, '$.fault') AS fault, status, message,"
                                 " repeatable, local_bytes FROM candidates_flat"
                                 " WHERE family LIKE '%faulty'")) {
        rows[row.at("fault")] = row;
    }
    std::size_t faults = 0;
    for (const Fault& fault : kFaults) {
        if (message_on(fault, backend_) == nullptr) {
            continue;
        }
        ++faults;
        CAPTURE(fault.name);
        REQUIRE(rows.contains(fault.name));
        check_fault(fault, backend_, rows.at(fault.name));
    }
    CHECK(rows.size() == faults);
    CHECK(rows.at("differs_within_tolerance").at("repeatable") == 0);
    if (rows.contains("spills")) {
        CHECK(rows.at("spills").at("local_bytes") >= 4096);
    }
}

void FaultSweep::check_good_candidates_are_undisturbed() const {
    const Json expected = query(kGoodDb, kSelectGood);
    REQUIRE(expected.size() > 3);
    for (const Json& row : expected) {
        CAPTURE(row.dump());
        CHECK(row.at("status") == "correct");
    }
    CHECK(query(kFaultyDb, kSelectGood) == expected);
    const Json best = query(kFaultyDb, "SELECT family FROM best");
    REQUIRE(best.size() == 1);
    CHECK_THAT(best.at(0).at("family").get<std::string>(), !ContainsSubstring("faulty"));
}

void FaultSweep::check_workers_started_no_more_often_than_needed() const {
    // One tells what devices there are, one measures, and one follows each that was lost.
    int needed = 2;
    for (const Fault& fault : kFaults) {
        needed += message_on(fault, backend_) != nullptr ? fault.lost_workers : 0;
    }
    // A worker that executes itself once more, in another environment, writes the same line again.
    std::set<std::string> started;
    for (const std::string& line : lines_of_file(folder_.path(kFaultyDb + ".starts"))) {
        if (line.find("-worker-" + backend_) != std::string::npos &&
            line.find("--compile") == std::string::npos) {
            started.insert(line);
        }
    }
    CAPTURE(started, needed);
    CHECK(std::ssize(started) > 2);
    CHECK(std::ssize(started) <= needed);
}

void FaultSweep::check_nothing_is_left_behind() const {
    // What was killed needs a moment to die.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    Orphans orphans = reap_orphans();
    std::vector<std::string> unreaped = orphans.unreaped_workers;
    while (orphans.any_runs && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        orphans = reap_orphans();
        unreaped.insert(
            unreaped.end(), orphans.unreaped_workers.begin(), orphans.unreaped_workers.end());
    }
    CHECK_FALSE(orphans.any_runs);
    CHECK(unreaped == std::vector<std::string>{});
    CHECK(std::filesystem::is_empty(folder_.path("tmp")));
}

void check_shipped_programs_have_no_faults(const std::string& device) {
    const std::string program = std::getenv("FDKBENCH_SHIPPED");
    const ProgramResult plan =
        run_shell("'" + program + "' sweep --include faulty --dry-run --device " + device);
    INFO(plan.err);
    CHECK(plan.exit_code == 2);
    CHECK_THAT(plan.err, ContainsSubstring("leave no kernel family"));
    const auto programs_with = [&](const std::string& word) {
        const std::string folder = std::filesystem::path(program).parent_path();
        return run_shell("find '" + folder +
                         "' -maxdepth 1 -type f -name 'fdkbench*' -exec grep -l " + word + " {} +")
            .out;
    };
    CHECK_THAT(programs_with("host_lut"), ContainsSubstring(program + "\n"));
    CHECK(programs_with("host_faulty").empty());
}

}  // namespace fdkbench::test
