#pragma once

#include <filesystem>
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

/// A fresh folder that is removed at the end of the scope.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] std::string path(const std::string& name) const {
        return (folder_ / name).string();
    }
    [[nodiscard]] std::string path() const { return folder_.string(); }

  private:
    std::filesystem::path folder_;
};

}  // namespace fdkbench::test
