#include "src/host/toolchain.hpp"

#include "src/core/error.hpp"
#include "src/core/hash.hpp"
#include "src/host/process.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <sstream>

namespace fdkbench {
namespace {

std::vector<std::string> words(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> result;
    for (std::string word; in >> word;) {
        result.push_back(word);
    }
    return result;
}

/// Output of the compiler with further arguments; nothing when it cannot be run or fails.
std::optional<std::string> ask(std::vector<std::string> command,
                               const std::vector<std::string>& arguments) {
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto result = run_process(command, "/");
    if (!result || result->exit_code != 0) {
        return std::nullopt;
    }
    return result->output;
}

std::string isa_of(const std::string& macros) {
    const auto defines = [&macros](const char* name) {
        return macros.find(fmt::format("#define {} ", name)) != std::string::npos;
    };
    if (defines("__AVX512BW__")) {
        return defines("__AVX512VBMI__") ? "avx512vbmi" : "avx512";
    }
    if (defines("__AVX2__")) {
        return "avx2";
    }
    return defines("__ARM_NEON") ? "neon" : "scalar";
}

std::optional<Toolchain> try_command(const std::vector<std::string>& command) {
    const auto version = ask(command, {"--version"});
    if (!version) {
        return std::nullopt;
    }
    const auto macros = ask(command, {"-march=native", "-dM", "-E", "-x", "c++", "/dev/null"});
    if (!macros) {
        return std::nullopt;
    }
    std::string options;
    for (const char* option : kKernelOptions) {
        options += std::string(option) + ' ';
    }
    return Toolchain{command,
                     version->substr(0, version->find('\n')),
                     isa_of(*macros),
                     sha256(options + *macros).substr(0, 12)};
}

}  // namespace

Toolchain find_toolchain(const char* cxx) {
    if (cxx != nullptr && !words(cxx).empty()) {
        if (auto found = try_command(words(cxx))) {
            return *found;
        }
        throw EnvironmentError(
            fmt::format("the C++ compiler '{}' (from CXX) does not run with -march=native: set "
                        "CXX to another one, or unset it to use c++, g++ or clang++",
                        cxx));
    }
    for (const char* name : {"c++", "g++", "clang++"}) {
        if (auto found = try_command({name})) {
            return *found;
        }
    }
    throw EnvironmentError("no C++ compiler found: install g++ (apt install g++) or set CXX");
}

const Toolchain& system_toolchain() {
    static const Toolchain toolchain = find_toolchain(std::getenv("CXX"));
    return toolchain;
}

}  // namespace fdkbench
