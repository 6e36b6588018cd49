#include "src/core/embedded_file.hpp"
#include "src/cuda/nvrtc_compiler.hpp"

#include <nvrtc.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <vector>

// Run by the build: compiles the project's own kernels for each major version of compute capability
// that NVRTC knows, and writes C++ that holds the results (built_kernels.hpp).

namespace fdkbench {

const std::vector<EmbeddedFile>& built_kernels_files();

namespace {

/// The least of each major version since 8.
std::vector<int> capabilities() {
    int count = 0;
    std::vector<int> all;
    bool known = nvrtcGetNumSupportedArchs(&count) == NVRTC_SUCCESS;
    all.resize(static_cast<std::size_t>(count));
    known = known && nvrtcGetSupportedArchs(all.data()) == NVRTC_SUCCESS;
    if (!known) {
        throw std::runtime_error("NVRTC does not say what it compiles for");
    }
    std::erase_if(all, [](int capability) { return capability < 80 || capability % 10 != 0; });
    return all;
}

/// The bytes as C++ has them.
std::string compiled(const std::string& source, int bits, int capability) {
    const std::vector<EmbeddedFile>& files = built_kernels_files();
    std::vector<std::string> options;
    if (bits > 0) {
        options.push_back(fmt::format("-DFDK_BITS={}", bits));
    }
    const CompileOutput output =
        nvrtc_compile(*std::ranges::find(files, source, &EmbeddedFile::path),
                      files,
                      options,
                      fmt::format("sm_{}", capability));
    if (!output.ok) {
        throw std::runtime_error(output.log);
    }
    fmt::print(stderr, "{}", output.log);
    std::string text;
    for (const std::byte byte : output.binary) {
        text += fmt::format("{},", std::to_integer<int>(byte));
    }
    return text;
}

void write(const char* path) {
    std::ofstream out(path);
    out << "#include \"src/cuda/built_kernels.hpp\"\n\nnamespace fdkbench {\nnamespace {\n\n";
    std::string list;
    for (const int capability : capabilities()) {
        for (const int bits : {0, 8, 4, 2, 1}) {
            const char* source =
                bits == 0 ? "src/cuda/quantise_kernels.cu" : "src/cuda/fragment_kernels.cu";
            const std::string name = fmt::format("kCubin{}_{}", capability, bits);
            out << "constexpr unsigned char " << name << "[] = {"
                << compiled(source, bits, capability) << "};\n";
            list += fmt::format("        {{{}, {}, {}}},\n", capability, bits, name);
        }
    }
    out << "\n}  // namespace\n\nstd::span<const BuiltKernels> built_kernels() {\n"
        << "    static constexpr BuiltKernels all[] = {\n"
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
