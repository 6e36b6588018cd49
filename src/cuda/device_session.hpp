#pragma once

#include "src/core/backend.hpp"
#include "src/cuda/handles.hpp"
#include "src/cuda/kernel_runnable.hpp"
#include "src/cuda/matmul.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace fdkbench {

/// One opened GPU: its stream, and what is made at first use. Everything made from it must be gone
/// before it.
class DeviceSession {
  public:
    /// Creates the device's context. Throws EnvironmentError when the device cannot be used.
    DeviceSession(int index, DeviceInfo device);

    [[nodiscard]] const DeviceInfo& device() const { return device_; }
    [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }
    [[nodiscard]] std::unique_ptr<CudaBuffer> allocate(std::size_t bytes) const;

    /// cuBLASLt on this device's stream.
    const MatmulLibrary& matmul();
    /// A source of the project itself, compiled for this device and loaded. Throws EnvironmentError
    /// when NVRTC cannot.
    [[nodiscard]] SharedLibrary compile(const EmbeddedFile& source,
                                        std::span<const EmbeddedFile> headers,
                                        std::span<const std::string> options) const;
    /// A kernel of probe_kernels.hpp.
    std::unique_ptr<Runnable> probe(const std::string& name,
                                    std::uint32_t grid,
                                    std::uint32_t block);
    /// A graph of enqueue(0), …, enqueue(launches − 1).
    std::unique_ptr<Replay> record(std::size_t launches,
                                   const std::function<void(std::size_t)>& enqueue);
    /// Memory filled with pseudo-random bf16 numbers.
    std::unique_ptr<CudaBuffer> allocate_random(std::size_t bytes);

  private:
    [[nodiscard]] std::unique_ptr<Runnable> load(const SharedLibrary& library,
                                                 const std::string& kernel,
                                                 std::uint32_t grid,
                                                 std::uint32_t block) const;

    DeviceInfo device_;
    Stream stream_;
    std::optional<MatmulLibrary> matmul_;
    SharedLibrary probes_;
    std::unique_ptr<Runnable> delay_;
};

}  // namespace fdkbench
