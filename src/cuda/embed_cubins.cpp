#include "src/core/embedded_file.hpp"
#include "src/cuda/nvrtc_compiler.hpp"

#include <nvrtc.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <vector>

// Run by the build: compiles quantise_kernels.cu for each major version of compute capability that
// NVRTC knows, and writes C++ that holds the results (cubins.hpp). So libfdk needs no compiler.

namespace fdkbench {

const std::vector<EmbeddedFile>& quantise_kernels_files();

namespace {

constexpr const char* kSource = "src/cuda/quantise_kernels.cu";

/// The least of each major version since 8.
std::vector<int> capabilities() {
    int count = 0;
    if (nvrtcGetNumSupportedArchs(&count) != NVRTC_SUCCESS) {
        throw std::runtime_error("NVRTC does not say what it compiles for");
    }
    std::vector<int> all(static_cast<std::size_t>(count));
    if (nvrtcGetSupportedArchs(all.data()) != NVRTC_SUCCESS) {
        throw std::runtime_error("NVRTC does not say what it compiles for");
    }
    std::erase_if(all, [](int capability) { return capability < 80 || capability % 10 != 0; });
    return all;
}

std::string cubin_text(int capability) {
    for (const EmbeddedFile& file : quantise_kernels_files()) {
        if (file.path != kSource) {
            continue;
        }
        const CompileOutput output =
            nvrtc_compile(file, quantise_kernels_files(), {}, fmt::format("sm_{}", capability));
        if (!output.ok) {
            throw std::runtime_error(output.log);
        }
        std::vector<int> bytes;
        for (const std::byte byte : output.binary) {
            bytes.push_back(std::to_integer<int>(byte));
        }
        return fmt::format(
            "constexpr unsigned char kCubin{}[] = {{{}}};\n", capability, fmt::join(bytes, ","));
    }
    throw std::logic_error(fmt::format("{} is not built in", kSource));
}

void write(const char* path) {
    std::ofstream out(path);
    out << "#include \"src/cuda/cubins.hpp\"\n\nnamespace fdkbench {\nnamespace {\n\n";
    std::string list;
    for (const int capability : capabilities()) {
        out << cubin_text(capability);
        list += fmt::format("        {{{0}, kCubin{0}}},\n", capability);
    }
    out << "\n}  // namespace\n\nstd::span<const Cubin> quantise_cubins() {\n"
        << "    static constexpr Cubin all[] = {\n"
        << list << "    };\n    return all;\n}\n\n}  // namespace fdkbench\n";
    if (!out.flush()) {
        throw std::runtime_error(fmt::format("cannot write {}", path));
    }
}

}  // namespace
}  // namespace fdkbench

int main(int, char** words) {
    try {
        fdkbench::write(words[1]);
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "embed_cubins: {}\n", error.what());
        return 1;
    }
}
