#pragma once

#include "src/core/backend.hpp"
#include "src/protocol/messages.hpp"
#include "tests/kernels/patched.hpp"

#include <memory>

namespace fdkbench::testing {

/// Four bits, with ragged m and n.
Problem checked_problem();

/// The worker's answer for the family's best guess on checked_problem(), compiled from `source` and
/// run on the backend's first device.
protocol::CheckReply real_check(std::unique_ptr<Backend> backend,
                                KernelCompiler& compiler,
                                const Family& family,
                                const KernelSource& source);

}  // namespace fdkbench::testing
