#pragma once

#include "src/core/backend.hpp"

#include <cuda_runtime_api.h>

namespace fdkbench {

/// What can be launched on any stream of its device, and has one of its own.
class CudaRunnable : public Runnable {
  public:
    explicit CudaRunnable(cudaStream_t stream) : stream_(stream) {}

    void launch(const Arguments& arguments) final { launch_on(stream_, arguments); }
    /// The device must be the thread's current one.
    virtual void launch_on(cudaStream_t stream, const Arguments& arguments) = 0;

  protected:
    [[nodiscard]] cudaStream_t own_stream() const { return stream_; }

  private:
    cudaStream_t stream_;
};

}  // namespace fdkbench
