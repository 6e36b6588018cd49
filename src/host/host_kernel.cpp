#include "src/host/host_kernel.hpp"

#include "src/core/descriptor.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <dlfcn.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace fdkbench {
namespace {

/// A file of $TMPDIR with this content, gone at the end of the scope.
class TemporaryBinary {
  public:
    explicit TemporaryBinary(std::span<const std::byte> content) {
        // A name that was loaded from before would not be loaded again: it must be a new one.
        std::string name = (std::filesystem::temp_directory_path() / "fdk-XXXXXX").string();
        const Descriptor file(::mkstemp(name.data()));
        path_ = name;
        bool written = file.get() >= 0;
        while (written && !content.empty()) {
            const ssize_t count = ::write(file.get(), content.data(), content.size());
            written = count > 0 || (count < 0 && errno == EINTR);
            content = content.subspan(count > 0 ? static_cast<std::size_t>(count) : 0);
        }
        if (!written) {
            const int error = errno;
            remove();
            throw CandidateError(CandidateStatus::kRuntime,
                                 fmt::format("cannot write {}: {}: set TMPDIR to another folder",
                                             name,
                                             std::generic_category().message(error)));
        }
    }
    ~TemporaryBinary() { remove(); }
    TemporaryBinary(const TemporaryBinary&) = delete;
    TemporaryBinary& operator=(const TemporaryBinary&) = delete;
    TemporaryBinary(TemporaryBinary&&) = delete;
    TemporaryBinary& operator=(TemporaryBinary&&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    std::filesystem::path path_;
};

}  // namespace

HostLibrary load_host_library(const std::filesystem::path& binary) {
    // An absolute path, because a bare name would be searched for among the system's libraries.
    void* library = dlopen(std::filesystem::absolute(binary).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw CandidateError(CandidateStatus::kRuntime,
                             fmt::format("cannot load the kernel: {}", dlerror()));
    }
    return {library, [](void* loaded) { dlclose(loaded); }};
}

HostLibrary load_host_library(std::span<const std::byte> binary) {
    return load_host_library(TemporaryBinary(binary).path());
}

HostKernelRunnable::HostKernelRunnable(HostLibrary library,
                                       const LaunchPlan& plan,
                                       ThreadPool& pool)
    : library_(std::move(library)), pool_(pool), workspace_bytes_(plan.workspace_bytes) {
    for (const LaunchStep& step : plan.steps) {
        steps_.push_back(resolve(step));
        name_ += (name_.empty() ? "" : " + ") + step.kernel;
    }
}

HostKernelRunnable::Step HostKernelRunnable::resolve(const LaunchStep& step) const {
    if (step.kind == LaunchStep::Kind::kMatmul) {
        throw CandidateError(CandidateStatus::kConstraints,
                             "the host has no library matmul as a step of a plan");
    }
    void* symbol = dlsym(library_.get(), step.kernel.c_str());
    if (symbol == nullptr) {
        throw CandidateError(CandidateStatus::kRuntime,
                             fmt::format("the kernel has no function {}", step.kernel));
    }
    return {reinterpret_cast<Kernel>(symbol),
            static_cast<int>(step.grid[0]),
            static_cast<int>(step.block[0])};
}

void HostKernelRunnable::launch(const Arguments& arguments) {
    for (const Step& step : steps_) {
        pool_.run(step.parts, step.threads, [&step, &arguments](int part) {
            step.kernel(&arguments, part, step.parts);
        });
    }
}

}  // namespace fdkbench
