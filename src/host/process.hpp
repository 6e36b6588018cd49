#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// How a program ended.
struct ProcessResult {
    int exit_code = 0;   ///< 128 + the signal when it was killed
    std::string output;  ///< standard output and standard error together
};

/// Runs a program (found on PATH) in a folder, with empty input and no shell; nothing when there is
/// no such program. Throws EnvironmentError when a process cannot be started at all.
std::optional<ProcessResult> run_process(const std::vector<std::string>& argv,
                                         const std::filesystem::path& folder);

}  // namespace fdkbench
