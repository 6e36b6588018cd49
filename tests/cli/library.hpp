#pragma once

#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <cstdlib>
#include <string>

namespace fdkbench::test {

/// A variable that the build sets.
inline std::string setting(const char* name) {
    const char* value = std::getenv(name);
    REQUIRE(value != nullptr);
    return value;
}

inline std::string source() {
    return setting("FDKBENCH_SOURCE");
}

/// What a compiler needs, behind the source, for a program that uses the library.
inline std::string against_library() {
    const std::string library = setting("FDKBENCH_LIBRARY");
    return "-I'" + source() + "/src/fdk' -L'" + library + "' -lfdk -Wl,-rpath,'" + library + "'";
}

/// And for the example on a GPU; skips where there is no CUDA toolkit.
inline std::string for_gpu() {
    const std::string root = run_shell("'" + source() + "/scripts/cuda-root'").out;
    const std::string cuda = root.substr(0, root.find('\n'));
    if (cuda.empty()) {
        skip_program("there is no CUDA toolkit");
    }
    return "-DEXAMPLE_ON_GPU -isystem '" + cuda + "/include' -L'" + cuda + "/lib64' -lcudart " +
           "-Wl,-rpath,'" + cuda + "/lib64'";
}

/// Compiles scripts/example.cpp to `example`, which it returns.
inline std::string compiled_example(const std::string& example, const std::string& flags = "") {
    const ProgramResult compiled =
        run_shell("c++ -std=c++20 -Wall -Wextra -Werror '" + source() + "/scripts/example.cpp' " +
                  against_library() + " " + flags + " -o '" + example + "'");
    INFO(compiled.err);
    REQUIRE(compiled.exit_code == 0);
    return example;
}

}  // namespace fdkbench::test
