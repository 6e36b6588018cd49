#pragma once

#include "src/core/backend.hpp"
#include "src/host/dnnl_matmul.hpp"
#include "src/host/memory.hpp"
#include "src/host/thread_pool.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fdkbench {

/// What every runnable of the host shares; a launch returns when y is written.
class HostRunnable : public Runnable {
  public:
    /// Does what must not be timed, before the first launch with these arguments.
    virtual void prepare(const Arguments& /*arguments*/) {}
    [[nodiscard]] KernelResources resources() const override { return {}; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return 0; }
};

/// oneDNN's matmul of 16-bit weights, in their type or (where the CPU or oneDNN lacks it) in f32.
/// Other forms of the weights than the plain 16-bit ones are made once for each address and kept,
/// so the weights at an address must not change during the runnable's life.
class DnnlRunnable : public HostRunnable {
  public:
    /// Throws dnnl::error when oneDNN cannot do it.
    DnnlRunnable(const Problem& problem, DnnlMatmul::Weights weights);

    void prepare(const Arguments& arguments) override { (void)weights_for(arguments.w); }
    void launch(const Arguments& arguments) override;
    [[nodiscard]] std::string name() const override;

  private:
    const void* weights_for(const void* w);
    [[nodiscard]] std::unique_ptr<HostBuffer> converted(const void* w);

    Problem problem_;
    DnnlMatmul::Weights weights_;
    bool in_f32_;
    DnnlMatmul matmul_;
    std::map<const void*, std::unique_ptr<HostBuffer>> converted_;
    std::vector<float> x_;  ///< of the f32 form
    std::vector<float> y_;
};

/// A compiled candidate: the steps of its plan on the pool's threads.
class HostKernelRunnable : public HostRunnable {
  public:
    /// Throws CandidateError: constraints for a plan with a kMatmul step, which no host family has;
    /// runtime when the binary cannot be loaded or lacks a step's function.
    HostKernelRunnable(const std::filesystem::path& binary,
                       const LaunchPlan& plan,
                       ThreadPool& pool);
    ~HostKernelRunnable() override;
    HostKernelRunnable(const HostKernelRunnable&) = delete;
    HostKernelRunnable& operator=(const HostKernelRunnable&) = delete;
    HostKernelRunnable(HostKernelRunnable&&) = delete;
    HostKernelRunnable& operator=(HostKernelRunnable&&) = delete;

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

    ThreadPool& pool_;
    std::string name_;
    std::uint64_t workspace_bytes_;
    void* library_ = nullptr;
    std::vector<Step> steps_;
};

}  // namespace fdkbench
