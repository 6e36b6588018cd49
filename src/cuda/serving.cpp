#include "src/cuda/serving.hpp"

#include "src/core/error.hpp"
#include "src/cuda/check.hpp"
#include "src/cuda/current_device.hpp"
#include "src/cuda/device.hpp"
#include "src/cuda/kernel_runnable.hpp"
#include "src/cuda/matmul.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace fdkbench {

namespace {

class BoundCudaKernel final : public BoundKernel {
  public:
    /// `matmul`: null for plans without a kMatmul step.
    BoundCudaKernel(int device,
                    std::unique_ptr<MatmulLibrary> matmul,
                    std::unique_ptr<KernelRunnable> kernel,
                    const Arguments& operands)
        : device_(device),
          matmul_(std::move(matmul)),
          kernel_(std::move(kernel)),
          operands_(operands),
          maps_(kernel_->fixed_maps(operands)) {}

    void launch(void* stream, const void* x, std::int32_t m, void* y) override {
        const CurrentDevice current(device_);
        Arguments arguments = operands_;
        arguments.x = x;
        arguments.y = y;
        arguments.m = m;
        kernel_->launch_on(static_cast<cudaStream_t>(stream), arguments, maps_);
    }

    [[nodiscard]] std::vector<std::int32_t> first_launches(std::int64_t first_m,
                                                           std::int64_t last_m) const override {
        if (!matmul_) {
            return BoundKernel::first_launches(first_m, last_m);
        }
        // One of each range that the matmul distinguishes; parts of more rows fall into all of
        // them.
        if (last_m > MatmulLibrary::kMostRows) {
            first_m = 1;
            last_m = MatmulLibrary::kMostRows;
        }
        std::vector<std::int32_t> all;
        auto range = std::bit_ceil(static_cast<std::uint64_t>(first_m));
        for (; range / 2 < static_cast<std::uint64_t>(last_m); range *= 2) {
            all.push_back(
                static_cast<std::int32_t>(std::min(range, static_cast<std::uint64_t>(last_m))));
        }
        return all;
    }

  private:
    int device_;
    std::unique_ptr<MatmulLibrary> matmul_;  // before the kernel, whose matmuls come from it
    std::unique_ptr<KernelRunnable> kernel_;
    Arguments operands_;
    std::vector<KernelRunnable::StepMaps> maps_;
};

class CudaServingDevice final : public ServingDevice {
  public:
    explicit CudaServingDevice(int index) : index_(index), info_(cuda_device(index)) {
        const CurrentDevice current(index_);
        stream_ = make_stream();
    }

    [[nodiscard]] const DeviceInfo& info() const override { return info_; }

    std::unique_ptr<Buffer> upload(std::span<const std::byte> content) override {
        const CurrentDevice current(index_);
        auto buffer = allocate(content.size());
        check(cudaMemcpyAsync(buffer->data(),
                              content.data(),
                              content.size(),
                              cudaMemcpyHostToDevice,
                              stream_.get()),
              "copying to the device");
        synchronize();
        return buffer;
    }

    std::unique_ptr<Buffer> zeros(std::size_t bytes) override {
        const CurrentDevice current(index_);
        auto buffer = allocate(bytes);
        check(cudaMemsetAsync(buffer->data(), 0, bytes, stream_.get()), "filling memory");
        synchronize();
        return buffer;
    }

    std::unique_ptr<BoundKernel> bind(const BinaryView& binary,
                                      const LaunchPlan& plan,
                                      const Problem& problem,
                                      LaunchMode mode,
                                      const Arguments& operands) override {
        const CurrentDevice current(index_);
        SharedLibrary& library = libraries_[binary.hash];
        if (!library) {
            library = load_library(binary.bytes);
        }
        std::unique_ptr<MatmulLibrary> matmuls;
        std::unique_ptr<CudaRunnable> matmul;
        if (has_matmul(plan)) {
            matmuls = std::make_unique<MatmulLibrary>(stream_.get(), info_.id);
            matmul = matmuls->for_any_m(matmul_spec(problem));
        }
        auto kernel = std::make_unique<KernelRunnable>(
            info_, stream_.get(), library, plan, mode, std::move(matmul));
        return std::make_unique<BoundCudaKernel>(
            index_, std::move(matmuls), std::move(kernel), operands);
    }

    [[nodiscard]] void* own_stream() const override { return stream_.get(); }

    void synchronize() override {
        check(cudaStreamSynchronize(stream_.get()), "waiting for the device");
    }

  private:
    /// CUDA has no empty allocations.
    [[nodiscard]] std::unique_ptr<CudaBuffer> allocate(std::size_t bytes) const {
        return std::make_unique<CudaBuffer>(std::max<std::size_t>(bytes, 1), info_.id);
    }

    int index_;
    DeviceInfo info_;
    Stream stream_;
    std::map<std::string, SharedLibrary> libraries_;
};

}  // namespace

std::unique_ptr<ServingDevice> make_cuda_serving_device(int index) {
    return std::make_unique<CudaServingDevice>(index);
}

}  // namespace fdkbench
