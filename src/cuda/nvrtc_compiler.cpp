#include "src/cuda/nvrtc_compiler.hpp"

#include "src/core/error.hpp"
#include "src/cuda/cuda_backend.hpp"

#include <nvrtc.h>

#include <fmt/format.h>

#include <memory>
#include <regex>
#include <type_traits>
#include <vector>

namespace fdkbench {

namespace {

/// Of every compilation, beside the architecture; part of the version that enters compile keys.
constexpr const char* kStandard = "--std=c++20";

void check_nvrtc(nvrtcResult result, const char* what) {
    if (result != NVRTC_SUCCESS) {
        throw EnvironmentError(fmt::format("{}: {}", what, nvrtcGetErrorString(result)));
    }
}

/// A source with its headers, held in memory.
class Program {
  public:
    Program(const EmbeddedFile& source, std::span<const EmbeddedFile> headers) {
        std::vector<const char*> texts;
        std::vector<const char*> names;
        for (const EmbeddedFile& header : headers) {
            texts.push_back(header.text.c_str());
            names.push_back(header.path.c_str());
        }
        nvrtcProgram program = nullptr;
        check_nvrtc(nvrtcCreateProgram(&program,
                                       source.text.c_str(),
                                       source.path.c_str(),
                                       static_cast<int>(headers.size()),
                                       texts.data(),
                                       names.data()),
                    "nvrtcCreateProgram");
        program_.reset(program);
    }

    nvrtcResult compile(std::span<const std::string> options) {
        std::vector<const char*> words;
        for (const std::string& option : options) {
            words.push_back(option.c_str());
        }
        return nvrtcCompileProgram(program_.get(), static_cast<int>(words.size()), words.data());
    }
    [[nodiscard]] std::string log() const {
        return text(nvrtcGetProgramLogSize, nvrtcGetProgramLog, "nvrtcGetProgramLog");
    }
    [[nodiscard]] std::string ptx() const {
        return text(nvrtcGetPTXSize, nvrtcGetPTX, "nvrtcGetPTX");
    }
    [[nodiscard]] std::vector<std::byte> cubin() const {
        std::size_t size = 0;
        check_nvrtc(nvrtcGetCUBINSize(program_.get(), &size), "nvrtcGetCUBINSize");
        std::vector<std::byte> cubin(size);
        check_nvrtc(nvrtcGetCUBIN(program_.get(), reinterpret_cast<char*>(cubin.data())),
                    "nvrtcGetCUBIN");
        return cubin;
    }

  private:
    struct Destroy {
        void operator()(nvrtcProgram program) const { nvrtcDestroyProgram(&program); }
    };

    /// Sizes include the closing zero.
    std::string text(nvrtcResult (*size_of)(nvrtcProgram, std::size_t*),
                     nvrtcResult (*read)(nvrtcProgram, char*),
                     const char* what) const {
        std::size_t size = 0;
        check_nvrtc(size_of(program_.get(), &size), what);
        std::string text(size, '\0');
        check_nvrtc(read(program_.get(), text.data()), what);
        text.resize(size > 0 ? size - 1 : 0);
        return text;
    }

    std::unique_ptr<std::remove_pointer_t<nvrtcProgram>, Destroy> program_;
};

class NvrtcCompiler final : public KernelCompiler {
  public:
    std::string version() override {
        return fmt::format("nvrtc {} {}", nvrtc_version(), kStandard);
    }
    CompileOutput compile(const EmbeddedFile& source,
                          std::span<const EmbeddedFile> headers,
                          std::span<const std::string> options,
                          const std::string& arch) override {
        return nvrtc_compile(source, headers, options, arch);
    }
};

/// nvrtcVersion() has no build number, but the first lines of any PTX have.
std::string read_version() {
    Program program({"version", ""}, {});
    check_nvrtc(program.compile({}), "nvrtcCompileProgram of an empty program");
    const std::string ptx = program.ptx();
    std::smatch match;
    if (!std::regex_search(ptx, match, std::regex(R"(\bV(\d+\.\d+\.\d+)\b)"))) {
        throw EnvironmentError("NVRTC does not say its version: install CUDA 12 or newer");
    }
    return match[1];
}

}  // namespace

CompileOutput nvrtc_compile(const EmbeddedFile& source,
                            std::span<const EmbeddedFile> headers,
                            std::span<const std::string> options,
                            const std::string& arch) {
    std::vector<std::string> all{"--gpu-architecture=" + arch, kStandard};
    all.insert(all.end(), options.begin(), options.end());
    Program program(source, headers);
    const nvrtcResult result = program.compile(all);
    // Anything else is the machine's trouble, such as a lack of memory, not the kernel's.
    if (result != NVRTC_ERROR_COMPILATION && result != NVRTC_ERROR_INVALID_OPTION) {
        check_nvrtc(result, "nvrtcCompileProgram");
    }
    CompileOutput output;
    output.log = program.log();
    if (result == NVRTC_SUCCESS) {
        output.ok = true;
        output.binary = program.cubin();
    } else if (output.log.empty()) {
        output.log = fmt::format("nvrtcCompileProgram: {}", nvrtcGetErrorString(result));
    }
    return output;
}

const std::string& nvrtc_version() {
    static const std::string version = read_version();
    return version;
}

std::unique_ptr<KernelCompiler> make_nvrtc_compiler() {
    return std::make_unique<NvrtcCompiler>();
}

}  // namespace fdkbench
