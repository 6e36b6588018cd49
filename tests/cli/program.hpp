#pragma once

#include "tests/temporary.hpp"

#include <map>
#include <string>
#include <vector>

namespace fdkbench::test {

/// What a finished program left behind.
struct ProgramResult {
    int exit_code = -1;
    std::string out;
    std::string err;
};

/// Runs the built fdkbench (environment variable FDKBENCH) with the arguments and these changes to
/// the environment.
ProgramResult run_fdkbench(const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment = {});

/// Runs a shell command.
ProgramResult run_shell(const std::string& command);

/// The shell command that runs the built fdkbench with the arguments.
std::string fdkbench_command(const std::vector<std::string>& arguments);

/// Arguments of a sweep of these shapes ("1x64x256") on the CPU, at 4 bits, which takes seconds.
std::vector<std::string> host_sweep(const std::string& db,
                                    const std::string& cache_dir,
                                    const std::vector<std::string>& shapes);

/// The rows of a query as CSV with a header. Throws std::runtime_error with what was said when it
/// fails.
std::string query_csv(const std::string& db, const std::string& sql);

std::vector<std::string> joined(std::vector<std::string> words,
                                const std::vector<std::string>& more);

}  // namespace fdkbench::test
