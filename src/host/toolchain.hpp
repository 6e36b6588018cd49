#pragma once

#include <string>
#include <vector>

namespace fdkbench {

/// The system's C++ compiler and what it says of this machine.
struct Toolchain {
    std::vector<std::string> command;  ///< {"c++"}; $CXX may hold several words
    std::string version;               ///< first line of --version
    /// Widest vector ISA that kernels use under -march=native: "avx512vbmi", "avx512", "avx2",
    /// "neon" or "scalar".
    std::string isa;
    /// Differs between machines for which -march=native means different instructions, and when
    /// kKernelOptions change.
    std::string digest;
};

/// Of every compilation of a kernel, beside -march. Its paths are relative to the current folder.
inline constexpr const char* kKernelOptions[] = {"-std=c++20", "-O3", "-shared", "-fPIC", "-I."};

/// $CXX where it is set, else the first of c++, g++ and clang++ that runs; looked up once. Throws
/// EnvironmentError when there is none.
const Toolchain& system_toolchain();

/// The same without remembering; `cxx` is the value of $CXX, or null.
Toolchain find_toolchain(const char* cxx);

}  // namespace fdkbench
