#include "kernels/registry.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

namespace fdkbench {

/// The kernel sources beside this file (scripts/embed.py).
const std::vector<EmbeddedFile>& fault_files();

namespace {

const RegisterSources registration(fault_files());

/// Appends a line "process id, command line" to the file $FDKBENCH_TEST_STARTS at the start of each
/// of the programs.
const bool kLogged = [] {
    if (const char* path = std::getenv("FDKBENCH_TEST_STARTS")) {
        std::ifstream file("/proc/self/cmdline", std::ios::binary);
        std::string line = std::to_string(::getpid()) + ' ';
        for (std::istreambuf_iterator<char> c(file), end; c != end; ++c) {
            line += *c == '\0' ? ' ' : *c;
        }
        std::ofstream(path, std::ios::app) << line + '\n';
    }
    return true;
}();

}  // namespace
}  // namespace fdkbench
