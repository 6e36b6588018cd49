#pragma once

#include "src/core/backend.hpp"
#include "src/cuda/handles.hpp"

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fdkbench {

/// A loaded cubin, shared by everything that launches its kernels.
using SharedLibrary = std::shared_ptr<CUlib_st>;

/// Throws CandidateError(runtime) for bytes that are no cubin or not for this device.
SharedLibrary load_library(std::span<const std::byte> cubin);

/// A launch plan whose kernels come from one cubin.
class KernelRunnable final : public Runnable {
  public:
    /// Makes what does the plan's kMatmul steps for one m.
    using MatmulFor = std::function<std::unique_ptr<Runnable>(std::int32_t m)>;

    /// Throws CandidateError:
    /// constraints when a step asks for more than the device has, naming both; runtime when a
    /// kernel is missing or cannot be loaded.
    KernelRunnable(const DeviceInfo& device,
                   cudaStream_t stream,
                   SharedLibrary library,
                   LaunchPlan plan,
                   LaunchMode mode,
                   MatmulFor matmul_for);

    void launch(const Arguments& arguments) override;
    [[nodiscard]] KernelResources resources() const override { return resources_; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return plan_.workspace_bytes; }
    [[nodiscard]] std::string name() const override;

  private:
    void prepare(const DeviceInfo& device, const LaunchStep& step, cudaKernel_t kernel);
    void launch_matmul(const Arguments& arguments);
    void launch_kernel(const LaunchStep& step, cudaKernel_t kernel, const Arguments& arguments);

    cudaStream_t stream_;
    SharedLibrary library_;
    LaunchPlan plan_;
    LaunchMode mode_;
    std::vector<cudaKernel_t> kernels_;  ///< one for each step; null for kMatmul
    MatmulFor matmul_for_;
    std::map<std::int32_t, std::unique_ptr<Runnable>> matmuls_;  ///< by m, as they were needed
    KernelResources resources_;
};

}  // namespace fdkbench
