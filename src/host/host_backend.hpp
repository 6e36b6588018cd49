#pragma once

#include "src/core/backend.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fdkbench {

/// The CPU as a device, with oneDNN as baseline.
std::unique_ptr<Backend> make_host_backend();

/// The system's C++ compiler ($CXX, else c++, g++, clang++), to a shared object for this machine.
/// Its version() throws EnvironmentError when there is none.
std::unique_ptr<KernelCompiler> make_system_compiler();

/// What was found, for people: {"oneDNN", "2.6.3"}.
std::vector<std::pair<std::string, std::string>> host_versions();

}  // namespace fdkbench
