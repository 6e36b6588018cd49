#pragma once

#include "tests/results/fixture.hpp"
#include "tests/results/script.hpp"

namespace fdkbench {

inline ScriptRun run_plot(const std::string& arguments) {
    return run_script("python3 scripts/plot.py " + arguments);
}

}  // namespace fdkbench
