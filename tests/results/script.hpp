#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <sys/wait.h>

namespace fdkbench {

/// How a script ended, and what it said.
struct ScriptRun {
    int code = -1;
    std::string output;
};

/// Runs a shell command from the repository root.
inline ScriptRun run_script(const std::string& command) {
    ScriptRun run;
    FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
    if (pipe == nullptr) {
        throw std::runtime_error("popen failed");
    }
    char buffer[256];
    while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) {
        run.output += buffer;
    }
    run.code = WEXITSTATUS(::pclose(pipe));
    return run;
}

}  // namespace fdkbench
