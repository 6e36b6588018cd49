#pragma once

#include "src/core/backend.hpp"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>

namespace fdkbench {

/// Destroys a CUDA handle. A destructor has nobody to report a failure to: after a device fault
/// every such call fails, and the process is about to end.
template <auto kDestroy>
struct DestroyHandle {
    template <typename Handle>
    void operator()(Handle* handle) const noexcept {
        static_cast<void>(kDestroy(handle));
    }
};

using Stream = std::unique_ptr<CUstream_st, DestroyHandle<cudaStreamDestroy>>;
using Event = std::unique_ptr<CUevent_st, DestroyHandle<cudaEventDestroy>>;
using Graph = std::unique_ptr<CUgraph_st, DestroyHandle<cudaGraphDestroy>>;
using GraphExec = std::unique_ptr<CUgraphExec_st, DestroyHandle<cudaGraphExecDestroy>>;
using Library = std::unique_ptr<CUlib_st, DestroyHandle<cudaLibraryUnload>>;

/// A stream that never waits for the legacy default stream.
Stream make_stream();
/// An event that records times.
Event make_event();

/// Plain device memory, at least 256-byte aligned.
class CudaBuffer final : public Buffer {
  public:
    /// Throws EnvironmentError naming the bytes needed and free on `device_id` ("cuda:0").
    CudaBuffer(std::size_t bytes, const std::string& device_id);

    [[nodiscard]] void* data() const override { return data_.get(); }
    [[nodiscard]] std::size_t bytes() const override { return bytes_; }

  private:
    std::unique_ptr<void, DestroyHandle<cudaFree>> data_;
    std::size_t bytes_;
};

}  // namespace fdkbench
