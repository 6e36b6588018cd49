#pragma once

#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <vector>

namespace fdkbench::test {

/// Keeps a worker on one processor: several threads that wait for each other take minutes on a
/// machine that does other things as well.
inline std::string one_processor() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    int processor = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        while (processor + 1 < CPU_SETSIZE && !CPU_ISSET(processor, &allowed)) {
            ++processor;
        }
    }
    return "taskset -c " + std::to_string(processor);
}

/// A folder with a database; compiled kernels are shared by the tests of a program.
class HostDatabase {
  public:
    [[nodiscard]] std::string db() const { return folder_.path("a.db"); }
    [[nodiscard]] std::string path(const std::string& name) const { return folder_.path(name); }

    /// Starts workers under these words.
    void launch_with(const std::string& words) { launcher_ = words; }
    /// Runs `command` on the CPU with this database.
    [[nodiscard]] ProgramResult run(const std::string& command,
                                    const std::vector<std::string>& more = {}) const {
        return run_fdkbench(joined({command,
                                    "--device",
                                    "host",
                                    "--launcher",
                                    launcher_,
                                    "--db",
                                    db(),
                                    "--cache-dir",
                                    cache_dir()},
                                   more));
    }
    /// A sweep of one cell that takes seconds.
    [[nodiscard]] ProgramResult sweep(const std::vector<std::string>& more = {}) const {
        return run_fdkbench(joined(joined(host_sweep(db(), cache_dir(), {"1x64x256"}),
                                          {"--include", "host_lut", "--launcher", launcher_}),
                                   more));
    }
    /// The first row, its values joined by commas; "" without rows.
    [[nodiscard]] std::string value(const std::string& sql) const {
        std::istringstream lines(query_csv(db(), sql));
        std::string header;
        std::string row;
        std::getline(lines, header);
        std::getline(lines, row);
        while (!row.empty() && (row.back() == '\n' || row.back() == '\r')) {
            row.pop_back();
        }
        return row;
    }
    /// Changes the database as another program would, with Python statements on `db`.
    void change(const std::string& python) const {
        const std::string script = path("change.py");
        std::ofstream(script) << "import sqlite3\ndb = sqlite3.connect('" << db() << "')\n"
                              << python << "\ndb.commit()\n";
        const ProgramResult result = run_shell("python3 '" + script + "'");
        INFO(result.err);
        REQUIRE(result.exit_code == 0);
    }
    void change_sql(const std::vector<std::string>& statements) const {
        std::string python;
        for (const std::string& statement : statements) {
            python += "db.execute(\"" + statement + "\")\n";
        }
        change(python);
    }

  private:
    static std::string cache_dir() {
        static const TemporaryFolder cache;
        return cache.path();
    }

    TemporaryFolder folder_;
    std::string launcher_ = one_processor();
};

/// Checks that a program ended well, showing what it said otherwise.
inline void require_done(const ProgramResult& result) {
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
}

}  // namespace fdkbench::test
