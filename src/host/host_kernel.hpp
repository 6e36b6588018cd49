#pragma once

#include "src/host/host_runnable.hpp"
#include "src/host/thread_pool.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fdkbench {

/// A loaded shared object, shared by everything that calls its functions.
using HostLibrary = std::shared_ptr<void>;

/// Both throw CandidateError(runtime) when the binary cannot be loaded. Bytes take the way through
/// a file in $TMPDIR, which is gone afterwards.
HostLibrary load_host_library(const std::filesystem::path& binary);
HostLibrary load_host_library(std::span<const std::byte> binary);

/// A compiled candidate: the steps of its plan on the pool's threads.
class HostKernelRunnable : public HostRunnable {
  public:
    /// Throws CandidateError: constraints for a plan with a kMatmul step, which no host family has;
    /// runtime when the library lacks a step's function.
    HostKernelRunnable(HostLibrary library, const LaunchPlan& plan, ThreadPool& pool);

    void launch(const Arguments& arguments) override;
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return workspace_bytes_; }
    [[nodiscard]] std::string name() const override { return name_; }

  private:
    using Kernel = void (*)(const Arguments*, int part, int parts);
    struct Step {
        Kernel kernel = nullptr;
        int parts = 1;
        int threads = 1;
    };

    [[nodiscard]] Step resolve(const LaunchStep& step) const;

    HostLibrary library_;
    ThreadPool& pool_;
    std::string name_;
    std::uint64_t workspace_bytes_;
    std::vector<Step> steps_;
};

}  // namespace fdkbench
