#include "src/cuda/kernel_runnable.hpp"

#include "src/core/error.hpp"
#include "src/cuda/check.hpp"
#include "src/cuda/tensor_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace fdkbench {

namespace {

constexpr std::int64_t kSharedBytesWithoutOptIn = 48 << 10;
constexpr std::uint32_t kPortableCluster = 8;

using Attributes = std::array<cudaLaunchAttribute, 2>;

/// The configuration points to `attributes`, which it fills.
cudaLaunchConfig_t launch_config(const LaunchStep& step,
                                 cudaStream_t stream,
                                 LaunchMode mode,
                                 Attributes& attributes) {
    cudaLaunchConfig_t config{};
    config.gridDim = {step.grid[0], step.grid[1], step.grid[2]};
    config.blockDim = {step.block[0], step.block[1], step.block[2]};
    config.dynamicSmemBytes = step.shared_bytes;
    config.stream = stream;
    config.attrs = attributes.data();
    if (step.cluster > 1) {
        cudaLaunchAttribute& cluster = attributes.at(config.numAttrs++);
        cluster.id = cudaLaunchAttributeClusterDimension;
        cluster.val.clusterDim = {step.cluster, 1, 1};
    }
    if (mode == LaunchMode::kDependent) {
        // Where the stream is captured, this makes a programmatic edge of the graph.
        cudaLaunchAttribute& overlap = attributes.at(config.numAttrs++);
        overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
        overlap.val.programmaticStreamSerializationAllowed = 1;
    }
    return config;
}

CandidateError beyond_limit(const LaunchStep& step, const std::string& why) {
    return {CandidateStatus::kConstraints, step.kernel + " " + why};
}

void check_tensor_maps(const LaunchStep& step) {
    if (step.tensor_maps.size() > KernelRunnable::kMostTensorMaps) {
        throw beyond_limit(step,
                           fmt::format("has {} tensor maps, at most {} can be launched with",
                                       step.tensor_maps.size(),
                                       KernelRunnable::kMostTensorMaps));
    }
}

void check_threads(const LaunchStep& step, const cudaFuncAttributes& attributes) {
    const std::uint64_t threads = std::uint64_t{step.block[0]} * step.block[1] * step.block[2];
    if (threads > static_cast<std::uint64_t>(attributes.maxThreadsPerBlock)) {
        throw beyond_limit(step,
                           fmt::format("uses {} registers × {} threads, and can have at most {} "
                                       "threads",
                                       attributes.numRegs,
                                       threads,
                                       attributes.maxThreadsPerBlock));
    }
}

void reserve_shared_memory(const DeviceInfo& device,
                           const LaunchStep& step,
                           const cudaFuncAttributes& attributes,
                           cudaKernel_t kernel) {
    const auto total = static_cast<std::int64_t>(attributes.sharedSizeBytes) + step.shared_bytes;
    if (total > device.shared_bytes_per_block) {
        throw beyond_limit(step,
                           fmt::format("needs {} bytes of shared memory ({} static, {} dynamic), "
                                       "the device has {} per block",
                                       total,
                                       attributes.sharedSizeBytes,
                                       step.shared_bytes,
                                       device.shared_bytes_per_block));
    }
    if (total > kSharedBytesWithoutOptIn) {
        check(cudaFuncSetAttribute(kernel,
                                   cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   static_cast<int>(step.shared_bytes)),
              "cudaFuncSetAttribute(MaxDynamicSharedMemorySize)");
    }
}

void check_cluster(const LaunchStep& step, cudaKernel_t kernel, cudaStream_t stream) {
    if (step.cluster > kPortableCluster) {
        check(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
              "cudaFuncSetAttribute(NonPortableClusterSizeAllowed)");
    }
    int clusters = 0;
    Attributes attributes{};
    const cudaLaunchConfig_t config = launch_config(step, stream, LaunchMode::kPlain, attributes);
    const cudaError_t status = cudaOccupancyMaxActiveClusters(&clusters, kernel, &config);
    if (status != cudaSuccess || clusters == 0) {
        cudaGetLastError();
        throw beyond_limit(step,
                           fmt::format("asks for clusters of {} blocks with {} bytes of dynamic "
                                       "shared memory each, which the device cannot run",
                                       step.cluster,
                                       step.shared_bytes));
    }
}

}  // namespace

SharedLibrary load_library(std::span<const std::byte> cubin) {
    // The driver gets no length: it must at least be handed an ELF file.
    if (cubin.size() < 64 || std::memcmp(cubin.data(), "\177ELF", 4) != 0) {
        throw CandidateError(CandidateStatus::kRuntime,
                             fmt::format("{} bytes that are no cubin", cubin.size()));
    }
    cudaLibrary_t library = nullptr;
    check(cudaLibraryLoadData(&library, cubin.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
          "cudaLibraryLoadData");
    return Library(library);
}

KernelRunnable::KernelRunnable(const DeviceInfo& device,
                               cudaStream_t stream,
                               SharedLibrary library,
                               LaunchPlan plan,
                               LaunchMode mode,
                               std::unique_ptr<CudaRunnable> matmul)
    : CudaRunnable(stream),
      library_(std::move(library)),
      plan_(std::move(plan)),
      mode_(mode),
      matmul_(std::move(matmul)) {
    for (const LaunchStep& step : plan_.steps) {
        cudaKernel_t kernel = nullptr;
        if (step.kind == LaunchStep::Kind::kKernel) {
            check(cudaLibraryGetKernel(&kernel, library_.get(), step.kernel.c_str()),
                  ("cudaLibraryGetKernel(" + step.kernel + ")").c_str());
            prepare(device, step, kernel);
        }
        kernels_.push_back(kernel);
    }
}

void KernelRunnable::prepare(const DeviceInfo& device,
                             const LaunchStep& step,
                             cudaKernel_t kernel) {
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, kernel), "cudaFuncGetAttributes");
    check_tensor_maps(step);
    check_threads(step, attributes);
    reserve_shared_memory(device, step, attributes, kernel);
    if (step.cluster > 1) {
        check_cluster(step, kernel, own_stream());
    }
    resources_.registers = std::max(resources_.registers, attributes.numRegs);
    resources_.shared_bytes =
        std::max(resources_.shared_bytes,
                 static_cast<std::int64_t>(attributes.sharedSizeBytes) + step.shared_bytes);
    resources_.local_bytes =
        std::max(resources_.local_bytes, static_cast<std::int64_t>(attributes.localSizeBytes));
}

void KernelRunnable::launch_on(cudaStream_t stream, const Arguments& arguments) {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
        launch_step(i, stream, arguments, nullptr);
    }
}

void KernelRunnable::launch_on(cudaStream_t stream,
                               const Arguments& arguments,
                               const std::vector<StepMaps>& fixed) {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
        launch_step(i, stream, arguments, &fixed[i]);
    }
}

std::vector<KernelRunnable::StepMaps> KernelRunnable::fixed_maps(const Arguments& arguments) const {
    std::vector<StepMaps> fixed(plan_.steps.size());
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
        const std::vector<TensorMap>& maps = plan_.steps[i].tensor_maps;
        for (std::size_t j = 0; j < maps.size(); ++j) {
            if (maps[j].operand != TensorMap::Operand::kX) {
                fixed[i].at(j) = encode(plan_, maps[j], arguments);
            }
        }
    }
    return fixed;
}

void KernelRunnable::launch_step(std::size_t step,
                                 cudaStream_t stream,
                                 const Arguments& arguments,
                                 const StepMaps* fixed) {
    if (kernels_[step] != nullptr) {
        launch_kernel(step, stream, arguments, fixed);
    } else {
        launch_matmul(stream, arguments);
    }
}

void KernelRunnable::launch_matmul(cudaStream_t stream, const Arguments& arguments) {
    Arguments product = arguments;
    product.w = arguments.workspace;
    matmul_->launch_on(stream, product);
}

void KernelRunnable::launch_kernel(std::size_t step,
                                   cudaStream_t stream,
                                   const Arguments& arguments,
                                   const StepMaps* fixed) {
    const LaunchStep& launched = plan_.steps[step];
    StepMaps maps;
    constexpr std::size_t kPointersAndM = 7;
    std::array<void*, kMostTensorMaps + kPointersAndM> parameters{};
    std::size_t count = 0;
    for (const TensorMap& map : launched.tensor_maps) {
        const bool known = fixed != nullptr && map.operand != TensorMap::Operand::kX;
        maps[count] = known ? (*fixed)[count] : encode(plan_, map, arguments);
        parameters[count] = &maps[count];
        ++count;
    }
    Arguments values = arguments;
    for (void* value : std::initializer_list<void*>{&values.x,
                                                    &values.w,
                                                    &values.scales,
                                                    &values.codebook,
                                                    &values.y,
                                                    &values.workspace,
                                                    &values.m}) {
        parameters[count++] = value;
    }
    Attributes attributes{};
    cudaLaunchConfig_t config = launch_config(launched, stream, mode_, attributes);
    const auto [grid_x, grid_y, grid_z] = grid_for(plan_, launched, arguments.m);
    config.gridDim = {grid_x, grid_y, grid_z};
    check(cudaLaunchKernelExC(&config, kernels_[step], parameters.data()), "cudaLaunchKernelExC");
}

std::string KernelRunnable::name() const {
    return plan_.steps.empty() ? "" : plan_.steps.front().kernel;
}

}  // namespace fdkbench
