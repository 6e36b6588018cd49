#pragma once

#include "kernels/registry.hpp"

#include <string>

namespace fdkbench::testing {

/// The family's source with one text replaced, which must be there exactly once.
KernelSource patched(const Family& family, const std::string& from, const std::string& to);

}  // namespace fdkbench::testing
