#pragma once

#include "src/core/error.hpp"

#include <functional>

namespace fdkbench {

/// Reads the command line, XDG_CACHE_HOME and HOME for the default cache folder, and what --shard
/// auto looks for. Gives what is to be done, which throws Error. Throws UsageError.
std::function<ExitCode()> parse_command_line(int argc, const char* const* argv);

}  // namespace fdkbench
