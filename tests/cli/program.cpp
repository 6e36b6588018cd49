#include "tests/cli/program.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace fdkbench::test {
namespace {

std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fdkbench-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("mkdtemp failed");
    }
    folder_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

ProgramResult run_shell(const std::string& command) {
    const TemporaryFolder folder;
    const std::string line = "{ " + command + "\n} >" + quoted(folder.path("out")) + " 2>" +
                             quoted(folder.path("err")) + " </dev/null";
    const int status = std::system(line.c_str());
    ProgramResult result;
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = read_file(folder.path("out"));
    result.err = read_file(folder.path("err"));
    return result;
}

ProgramResult run_fdkbench(const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment) {
    const char* program = std::getenv("FDKBENCH");
    if (program == nullptr) {
        throw std::runtime_error("set FDKBENCH to the built program");
    }
    std::string command = "env";
    for (const auto& [name, value] : environment) {
        command += " " + quoted(name + "=" + value);
    }
    command += " " + quoted(program);
    for (const std::string& argument : arguments) {
        command += " " + quoted(argument);
    }
    return run_shell(command);
}

}  // namespace fdkbench::test
