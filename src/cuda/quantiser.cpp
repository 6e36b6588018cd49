#include "src/cuda/quantiser.hpp"

#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/core/quantise.hpp"
#include "src/core/tensor_values.hpp"
#include "src/cuda/built_kernels.hpp"
#include "src/cuda/current_device.hpp"
#include "src/cuda/device.hpp"
#include "src/cuda/fragment_packer.hpp"
#include "src/cuda/handles.hpp"
#include "src/cuda/quantise_arguments.cuh"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <vector>

namespace fdkbench {

namespace {

constexpr unsigned kBlock = 256;
constexpr Extent kWarpsPerBlock = kBlock / 32;
constexpr Extent kMostBlocks = 0x7fffffff;

/// Waits for what uses the memory of a call, also where that throws: some of it goes, and the next
/// call, on another stream, uses the rest again.
struct UntilDone {
    cudaStream_t stream;
    ~UntilDone() { static_cast<void>(cudaStreamSynchronize(stream)); }
};

NumberType number_type(ElementType type) {
    return type == ElementType::kBf16 ? NumberType::kBf16 : NumberType::kFp16;
}

NumberType number_type(TensorType type) {
    return type == TensorType::kF32   ? NumberType::kFp32
           : type == TensorType::kF16 ? NumberType::kFp16
                                      : NumberType::kBf16;
}

class CudaQuantiser final : public Quantiser {
  public:
    /// The device is the thread's current one.
    CudaQuantiser(int index, const DeviceInfo& device)
        : index_(index),
          id_(device.id),
          library_(load_built(device, 0)),
          packer_(device),
          codes_(std::size_t{1} << 16U, device.id),
          not_finite_(sizeof(unsigned long long), device.id) {
        check(cudaLibraryGetKernel(&kernel_, library_.get(), "quantise"), "quantise");
    }

    std::optional<NotFinite> quantise(void* stream,
                                      const Operands& operands,
                                      const Problem& problem,
                                      std::span<const std::uint16_t> codebook) override {
        const CurrentDevice current(index_);
        const auto on = static_cast<cudaStream_t>(stream);
        const auto buffers = canonical_buffers(operands, problem);
        const std::vector<std::uint8_t> codes = codebook_indices(codebook, problem.type);
        auto index = std::numeric_limits<unsigned long long>::max();
        const UntilDone until_done{on};  // before any of these goes
        check(
            cudaMemcpyAsync(codes_.data(), codes.data(), codes.size(), cudaMemcpyHostToDevice, on),
            "copying codes");
        check(cudaMemsetAsync(not_finite_.data(), 0xff, not_finite_.bytes(), on), "filling memory");
        launch(on, arguments(operands, buffers, problem));
        if (buffers) {
            pack(on, *buffers, operands, problem);
        }
        check(cudaMemcpyAsync(&index, not_finite_.data(), sizeof index, cudaMemcpyDeviceToHost, on),
              "copying from the device");
        check(cudaStreamSynchronize(on), "quantising");
        if (index == std::numeric_limits<unsigned long long>::max()) {
            return std::nullopt;
        }
        return NotFinite{static_cast<std::size_t>(index), value_of(on, operands, index)};
    }

  private:
    /// Canonical weights and scales, to be packed.
    struct Buffers {
        CudaBuffer weight_data;
        CudaBuffer scale;
    };
    std::unique_ptr<Buffers> canonical_buffers(const Operands& operands, const Problem& problem) {
        if (operands.layout == Layout::kCanonical) {
            return nullptr;
        }
        packer_.load(problem.format.bits);
        return std::unique_ptr<Buffers>(
            new Buffers{{static_cast<std::size_t>(problem.weight_bytes()), id_},
                        {static_cast<std::size_t>(problem.scale_bytes()), id_}});
    }

    void pack(cudaStream_t stream,
              const Buffers& from,
              const Operands& to,
              const Problem& problem) {
        packer_.pack(stream,
                     {from.weight_data.data(), from.scale.data()},
                     {to.weight_data, to.scale},
                     fragment_extents(problem.shape, problem.format),
                     problem.format.bits);
    }

    QuantiseArguments arguments(const Operands& operands,
                                const std::unique_ptr<Buffers>& buffers,
                                const Problem& problem) const {
        const auto& [shape, format, type] = problem;
        QuantiseArguments arguments;
        arguments.weights = operands.weights;
        arguments.codes = static_cast<const unsigned char*>(codes_.data());
        arguments.weight_data = buffers ? static_cast<unsigned char*>(buffers->weight_data.data())
                                        : operands.weight_data;
        arguments.scale =
            buffers ? static_cast<unsigned short*>(buffers->scale.data()) : operands.scale;
        arguments.not_finite = static_cast<unsigned long long*>(not_finite_.data());
        arguments.groups = static_cast<Extent>(shape.n * (shape.k / format.group_size));
        arguments.group_size = static_cast<unsigned>(format.group_size);
        arguments.bits = static_cast<unsigned>(format.bits);
        arguments.weights_type = number_type(operands.weights_type);
        arguments.type = number_type(type);
        arguments.least_scale = least_scale(type);
        return arguments;
    }

    void launch(cudaStream_t stream, QuantiseArguments arguments) const {
        cudaLaunchConfig_t config{};
        const Extent blocks = (arguments.groups + kWarpsPerBlock - 1) / kWarpsPerBlock;
        if (blocks > kMostBlocks) {
            throw UsageError(
                fmt::format("{} groups are too many at once: quantise fewer rows at a time, or "
                            "with larger groups",
                            arguments.groups));
        }
        config.gridDim = {static_cast<unsigned>(blocks), 1, 1};
        config.blockDim = {kBlock, 1, 1};
        config.stream = stream;
        void* parameters[] = {&arguments};
        check(cudaLaunchKernelExC(&config, kernel_, parameters), "quantise");
    }

    static float value_of(cudaStream_t stream, const Operands& operands, std::size_t index) {
        const std::size_t bytes = operands.weights_type == TensorType::kF32 ? 4 : 2;
        Tensor tensor;
        tensor.type = operands.weights_type;
        std::byte value[4];
        check(cudaMemcpyAsync(value,
                              static_cast<const std::byte*>(operands.weights) + index * bytes,
                              bytes,
                              cudaMemcpyDeviceToHost,
                              stream),
              "copying from the device");
        check(cudaStreamSynchronize(stream), "copying from the device");
        tensor.bytes = {value, bytes};
        return value_at(tensor, 0);
    }

    int index_;
    std::string id_;
    SharedLibrary library_;
    FragmentPacker packer_;
    CudaBuffer codes_;
    CudaBuffer not_finite_;
    cudaKernel_t kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Quantiser> make_quantiser(int index) {
    const DeviceInfo device = cuda_device(index);
    const CurrentDevice current(index);
    return std::make_unique<CudaQuantiser>(index, device);
}

}  // namespace fdkbench
