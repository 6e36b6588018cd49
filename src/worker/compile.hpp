#pragma once

#include "src/core/backend.hpp"
#include "src/protocol/messages.hpp"

#include <string>

namespace fdkbench {

/// Answers a compile request: from the cache, or by compiling and publishing. A source that does
/// not compile is an outcome; an unknown family, a key that this program's source, options and
/// compiler do not give, and an unwritable cache are faults.
protocol::CompileReply compile(const protocol::CompileRequest& request, KernelCompiler& compiler);

/// The part of a compiler's log worth storing: from its first line that says "error", a few KiB.
std::string trimmed_log(const std::string& log);

}  // namespace fdkbench
