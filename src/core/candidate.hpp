#pragma once

#include "src/core/launch_plan.hpp"
#include "src/core/params.hpp"
#include "src/core/problem.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// A family with all of its parameters fixed, on one problem.
struct Candidate {
    std::string family;
    Params params;
    Problem problem;
    Layout layout = Layout::kCanonical;  ///< of the weights it reads
    LaunchPlan plan;
    std::vector<std::string> options;  ///< compiler options that fix parameters and problem
    std::string
        compile_key;  ///< of source, headers, options, arch and compiler (artifact_cache.hpp)
};

}  // namespace fdkbench
