#pragma once

#include "src/core/backend.hpp"
#include "src/cuda/handles.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace fdkbench {

/// A CUDA graph of `launches` launches, timed between two events.
class GraphReplay final : public Replay {
  public:
    /// Captures what `enqueue` launches on `stream`. `delay` keeps the device busy while a replay
    /// is being submitted, so that the events enclose the graph alone; it must outlive this.
    GraphReplay(cudaStream_t stream,
                Runnable& delay,
                std::size_t launches,
                const std::function<void()>& enqueue);

    double time_us() override;
    void run(std::size_t times) override;

  private:
    cudaStream_t stream_;
    Runnable& delay_;
    std::size_t launches_;
    GraphExec graph_;
    Event start_ = make_event();
    Event stop_ = make_event();
};

}  // namespace fdkbench
