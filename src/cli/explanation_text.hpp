#pragma once

#include "results/explanation.hpp"

#include <string>

namespace fdkbench {

/// For people: a line for the problem and some for the kernel, its figures, the choice among ties,
/// the runner-up, the other layout and the library. `rules`: as they were typed; may be empty.
std::string explanation_text(const Explanation& why,
                             const DispatchTable& table,
                             const std::string& rules);

}  // namespace fdkbench
