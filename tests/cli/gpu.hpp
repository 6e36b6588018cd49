#pragma once

#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <string>

namespace fdkbench::test {

/// Skips, visibly, where the built fdkbench sees no GPU.
inline void require_gpu() {
    const ProgramResult result = run_fdkbench({"devices", "--json"});
    if (result.out.find("\"cuda:0\"") == std::string::npos) {
        skip_program("there is no GPU");
    }
}

}  // namespace fdkbench::test
