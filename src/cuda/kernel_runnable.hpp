#pragma once

#include "src/cuda/cuda_runnable.hpp"
#include "src/cuda/handles.hpp"

#include <cuda.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fdkbench {

/// A loaded cubin, shared by everything that launches its kernels.
using SharedLibrary = std::shared_ptr<CUlib_st>;

/// Throws CandidateError(runtime) for bytes that are no cubin or not for this device.
SharedLibrary load_library(std::span<const std::byte> cubin);

/// A launch plan whose kernels come from one cubin. Grids follow m where the plan says how.
class KernelRunnable final : public CudaRunnable {
  public:
    /// The most that a step may have.
    static constexpr std::size_t kMostTensorMaps = 4;
    /// The tensor maps of one step; those of x are not set.
    using StepMaps = std::array<CUtensorMap, kMostTensorMaps>;

    /// `matmul`: for the plan's kMatmul steps, of any m; null where there are none. Throws
    /// CandidateError: constraints when a step asks for more than the device has, naming both;
    /// runtime when a kernel is missing or cannot be loaded.
    KernelRunnable(const DeviceInfo& device,
                   cudaStream_t stream,
                   SharedLibrary library,
                   LaunchPlan plan,
                   LaunchMode mode,
                   std::unique_ptr<CudaRunnable> matmul);

    void launch_on(cudaStream_t stream, const Arguments& arguments) override;

    /// For weights and scales that stay where they are: the tensor maps of every step.
    [[nodiscard]] std::vector<StepMaps> fixed_maps(const Arguments& arguments) const;
    /// Like launch_on() with such weights and scales. Allocates nothing, waits for nothing and
    /// takes no lock, as far as `matmul` does not.
    void launch_on(cudaStream_t stream,
                   const Arguments& arguments,
                   const std::vector<StepMaps>& fixed);

    [[nodiscard]] KernelResources resources() const override { return resources_; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return plan_.workspace_bytes; }
    [[nodiscard]] std::string name() const override;

  private:
    void prepare(const DeviceInfo& device, const LaunchStep& step, cudaKernel_t kernel);
    void launch_step(std::size_t step,
                     cudaStream_t stream,
                     const Arguments& arguments,
                     const StepMaps* fixed);
    void launch_matmul(cudaStream_t stream, const Arguments& arguments);
    void launch_kernel(std::size_t step,
                       cudaStream_t stream,
                       const Arguments& arguments,
                       const StepMaps* fixed);

    SharedLibrary library_;
    LaunchPlan plan_;
    LaunchMode mode_;
    std::vector<cudaKernel_t> kernels_;  ///< one for each step; null for kMatmul
    std::unique_ptr<CudaRunnable> matmul_;
    KernelResources resources_;
};

}  // namespace fdkbench
