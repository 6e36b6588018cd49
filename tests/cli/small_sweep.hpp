#pragma once

#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace fdkbench::test {

/// A folder with a database; compiled kernels are shared by the tests of a program.
class HostDatabase {
  public:
    [[nodiscard]] std::string db() const { return folder_.path("a.db"); }
    [[nodiscard]] std::string path(const std::string& name) const { return folder_.path(name); }

    /// Runs `command` on the CPU with this database.
    [[nodiscard]] ProgramResult run(const std::string& command,
                                    const std::vector<std::string>& more = {}) const {
        static const TemporaryFolder cache;
        std::vector<std::string> arguments{
            command, "--device", "host", "-j", "2", "--db", db(), "--cache-dir", cache.path()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_fdkbench(arguments);
    }
    /// A sweep of one cell that takes seconds.
    [[nodiscard]] ProgramResult sweep(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments{"-m",
                                           "1",
                                           "-n",
                                           "64",
                                           "-k",
                                           "256",
                                           "-b",
                                           "4",
                                           "--include",
                                           "host_lut",
                                           "--quick",
                                           "--race-time",
                                           "1s"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run("sweep", arguments);
    }
    /// The first row, its values joined by commas; "" without rows.
    [[nodiscard]] std::string value(const std::string& sql) const {
        const ProgramResult result = run_fdkbench({"query", "--db", db(), "--format", "csv", sql});
        INFO(result.err);
        REQUIRE(result.exit_code == 0);
        std::istringstream lines(result.out);
        std::string header;
        std::string row;
        std::getline(lines, header);
        std::getline(lines, row);
        while (!row.empty() && (row.back() == '\n' || row.back() == '\r')) {
            row.pop_back();
        }
        return row;
    }
    /// Changes the database as another program would: Python statements with `db` open.
    void change(const std::string& python) const {
        const std::string script = path("change.py");
        std::ofstream(script) << "import sqlite3\ndb = sqlite3.connect('" << db() << "')\n"
                              << python << "\ndb.commit()\n";
        const ProgramResult result = run_shell("python3 '" + script + "'");
        INFO(result.err);
        REQUIRE(result.exit_code == 0);
    }

  private:
    TemporaryFolder folder_;
};

/// Checks that a program ended well, showing what it said otherwise.
inline void require_done(const ProgramResult& result) {
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
}

}  // namespace fdkbench::test
