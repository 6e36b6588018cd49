#include "src/cli/build_info.hpp"
#include "src/cli/commands.hpp"
#include "src/core/nvidia_driver.hpp"

#include <fmt/format.h>

#include <dlfcn.h>
#include <string>

namespace fdkbench {
namespace {

/// Asks the NVRTC library that the CUDA worker would use, without linking it.
std::string nvrtc_version() {
    const std::string in_toolkit = std::string(kCudaLibDir) + "/libnvrtc.so." + kCudaMajor;
    const std::string on_loader_path = std::string("libnvrtc.so.") + kCudaMajor;
    void* library = nullptr;
    std::string path;
    for (const std::string& candidate : {in_toolkit, on_loader_path}) {
        path = candidate;
        library = dlopen(candidate.c_str(), RTLD_LAZY | RTLD_LOCAL);
        if (library != nullptr) {
            break;
        }
    }
    if (library == nullptr) {
        return "not found";
    }
    using Query = int (*)(int*, int*);
    const auto query = reinterpret_cast<Query>(dlsym(library, "nvrtcVersion"));
    int major = 0;
    int minor = 0;
    if (query == nullptr || query(&major, &minor) != 0) {
        return "not usable: " + path;
    }
    return fmt::format("{}.{} ({})", major, minor, path);
}

}  // namespace

ExitCode run_version() {
    fmt::print("fdkbench {}\n", kVersion);
    fmt::print("commit    {}\n", kCommit);
    fmt::print("compiler  {}\n", kCompiler);
    if (std::string(kCudaVersion).empty()) {
        fmt::print("CUDA      built without\n");
    } else {
        fmt::print("CUDA      {} (built against)\n", kCudaVersion);
        fmt::print("NVRTC     {}\n", nvrtc_version());
    }
    const std::string driver = nvidia_driver_version();
    fmt::print("driver    {}\n", driver.empty() ? "not found" : driver);
    return ExitCode::kDone;
}

}  // namespace fdkbench
