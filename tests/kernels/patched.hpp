#pragma once

#include "kernels/registry.hpp"

#include <string>

namespace fdkbench::testing {

/// The family's source, with its headers, where one text is replaced; it must be there.
KernelSource patched(const Family& family, const std::string& from, const std::string& to);

}  // namespace fdkbench::testing
