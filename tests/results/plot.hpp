#pragma once

#include "tests/results/fixture.hpp"

#include <string>
#include <sys/wait.h>

namespace fdkbench {

/// How scripts/plot.py ended, and what it said.
struct PlotRun {
    int code = -1;
    std::string output;
};

/// Runs it from the repository root.
inline PlotRun run_plot(const std::string& arguments) {
    PlotRun run;
    FILE* pipe = ::popen(("python3 scripts/plot.py " + arguments + " 2>&1").c_str(), "r");
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
