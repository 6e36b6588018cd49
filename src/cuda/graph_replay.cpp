#include "src/cuda/graph_replay.hpp"

#include "src/cuda/check.hpp"

namespace fdkbench {

namespace {

/// About 30 µs at any GPU's clock: longer than submitting a graph takes.
constexpr std::int32_t kDelayCycles = 50'000;

Graph capture(cudaStream_t stream, const std::function<void()>& enqueue) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
        enqueue();
    } catch (...) {
        // A stream left capturing could not be used again.
        cudaStreamEndCapture(stream, &graph);
        cudaGetLastError();
        const Graph unfinished(graph);
        throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    return Graph(graph);
}

GraphExec instantiate(const Graph& graph) {
    cudaGraphExec_t exec = nullptr;
    check(cudaGraphInstantiate(&exec, graph.get(), 0), "cudaGraphInstantiate");
    return GraphExec(exec);
}

}  // namespace

GraphReplay::GraphReplay(cudaStream_t stream,
                         Runnable& delay,
                         std::size_t launches,
                         const std::function<void()>& enqueue)
    : stream_(stream),
      delay_(delay),
      launches_(launches),
      graph_(instantiate(capture(stream, enqueue))) {
    check(cudaGraphUpload(graph_.get(), stream_), "cudaGraphUpload");
}

double GraphReplay::time_us() {
    Arguments delay;
    delay.m = kDelayCycles;
    delay_.launch(delay);
    check(cudaEventRecord(start_.get(), stream_), "cudaEventRecord");
    check(cudaGraphLaunch(graph_.get(), stream_), "cudaGraphLaunch");
    check(cudaEventRecord(stop_.get(), stream_), "cudaEventRecord");
    check(cudaEventSynchronize(stop_.get()), "running the kernel");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start_.get(), stop_.get()), "cudaEventElapsedTime");
    return 1e3 * milliseconds / static_cast<double>(launches_);
}

void GraphReplay::run(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
        check(cudaGraphLaunch(graph_.get(), stream_), "cudaGraphLaunch");
    }
    check(cudaStreamSynchronize(stream_), "running the kernel");
}

}  // namespace fdkbench
