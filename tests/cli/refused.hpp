#pragma once

#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace fdkbench::test {

/// Checks the exit code, that stderr is one line, and that the line holds each of the words.
inline void check_refused(const ProgramResult& result,
                          int exit_code,
                          const std::vector<std::string>& words) {
    INFO("stderr: " << result.err);
    CHECK(result.exit_code == exit_code);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    for (const std::string& word : words) {
        CHECK_THAT(result.err, ContainsSubstring(word));
    }
}

}  // namespace fdkbench::test
