#include "tests/cli/program.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>

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

std::string fdkbench_command(const std::vector<std::string>& arguments) {
    const char* program = std::getenv("FDKBENCH");
    if (program == nullptr) {
        throw std::runtime_error("set FDKBENCH to the built program");
    }
    std::string command = quoted(program);
    for (const std::string& argument : arguments) {
        command += " " + quoted(argument);
    }
    return command;
}

ProgramResult run_fdkbench(const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment) {
    std::string command = "env";
    for (const auto& [name, value] : environment) {
        command += " " + quoted(name + "=" + value);
    }
    return run_shell(command + " " + fdkbench_command(arguments));
}

std::vector<std::string> host_sweep(const std::string& db,
                                    const std::string& cache_dir,
                                    const std::vector<std::string>& shapes) {
    return joined({"sweep",
                   "--device",
                   "host",
                   "--quick",
                   "--race-time",
                   "1s",
                   "-b",
                   "4",
                   "--db",
                   db,
                   "--cache-dir",
                   cache_dir,
                   "--shape"},
                  shapes);
}

std::string query_csv(const std::string& db, const std::string& sql) {
    const ProgramResult result = run_fdkbench({"query", "--db", db, "--format", "csv", sql});
    if (result.exit_code != 0) {
        throw std::runtime_error(result.err);
    }
    return result.out;
}

std::vector<std::string> joined(std::vector<std::string> words,
                                const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

}  // namespace fdkbench::test
