#include "src/core/error.hpp"
#include "src/host/host_backend.hpp"
#include "src/host/process.hpp"
#include "src/host/toolchain.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace fdkbench {
namespace {

namespace fs = std::filesystem;

constexpr int kSignalBase = 128;  // of ProcessResult::exit_code

/// The system's folder for temporary files ($TMPDIR).
fs::path temporary_place() {
    std::error_code error;
    fs::path place = fs::temp_directory_path(error);
    if (error) {
        throw EnvironmentError(
            fmt::format("no folder for temporary files: {}; set TMPDIR to one", error.message()));
    }
    return place;
}

/// A folder of its own, removed at the end.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (temporary_place() / "fdkbench-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) {
            throw EnvironmentError(
                fmt::format("cannot make a folder {}: {}; set TMPDIR", name, std::strerror(errno)));
        }
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder(TemporaryFolder&&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

void write_file(const fs::path& folder, const EmbeddedFile& file) {
    const fs::path path = folder / file.path;
    // Where this fails, so does opening the file.
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    std::ofstream out(path, std::ios::binary);
    out << file.text;
    out.close();
    if (!out) {
        throw EnvironmentError(
            fmt::format("cannot write {}: is the disk full? Set TMPDIR", path.string()));
    }
}

std::vector<std::byte> read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    std::vector<std::byte> bytes(in ? static_cast<std::size_t>(in.tellg()) : 0);
    in.seekg(0);
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!in) {
        throw EnvironmentError(fmt::format("cannot read {}", path.string()));
    }
    return bytes;
}

/// Throws EnvironmentError where a compiler failed for the machine's reasons: another try, or
/// another machine, may compile the same kernel.
void require_resources(const ProcessResult& failed) {
    std::string why;
    if (failed.exit_code > kSignalBase) {
        why = fmt::format("signal {}", failed.exit_code - kSignalBase);
    }
    for (const char* trouble :
         {"No space left on device", "Cannot allocate memory", "out of memory", "Killed signal"}) {
        if (failed.output.find(trouble) != std::string::npos) {
            why = trouble;
        }
    }
    if (!why.empty()) {
        throw EnvironmentError(
            fmt::format("the C++ compiler was stopped ({}): free memory, or disk space in {}, or "
                        "set TMPDIR to another folder",
                        why,
                        temporary_place().string()));
    }
}

class SystemCompiler : public KernelCompiler {
  public:
    std::string version() override {
        const Toolchain& toolchain = system_toolchain();
        return fmt::format("{}, {} {}", toolchain.version, toolchain.isa, toolchain.digest);
    }

    CompileOutput compile(const EmbeddedFile& source,
                          std::span<const EmbeddedFile> headers,
                          std::span<const std::string> options,
                          const std::string& arch) override {
        static constexpr const char* kBinary = "kernel.so";
        const TemporaryFolder folder;
        write_file(folder.path(), source);
        for (const EmbeddedFile& header : headers) {
            write_file(folder.path(), header);
        }
        // Relative paths in the folder keep its random name out of the output.
        std::vector<std::string> command = system_toolchain().command;
        command.insert(command.end(), std::begin(kKernelOptions), std::end(kKernelOptions));
        command.push_back("-march=" + arch);
        command.insert(command.end(), options.begin(), options.end());
        command.insert(command.end(), {source.path, "-o", kBinary});

        const auto result = run_process(command, folder.path());
        if (!result) {
            throw EnvironmentError(fmt::format("the C++ compiler {} is gone", command[0]));
        }
        if (result->exit_code != 0) {
            require_resources(*result);
        }
        CompileOutput output;
        output.ok = result->exit_code == 0;
        output.log = result->output;
        if (output.ok) {
            output.binary = read_file(folder.path() / kBinary);
        }
        return output;
    }
};

}  // namespace

std::unique_ptr<KernelCompiler> make_system_compiler() {
    return std::make_unique<SystemCompiler>();
}

}  // namespace fdkbench
