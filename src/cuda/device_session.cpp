#include "src/cuda/device_session.hpp"

#include "src/core/error.hpp"
#include "src/cuda/check.hpp"
#include "src/cuda/graph_replay.hpp"
#include "src/cuda/nvrtc_compiler.hpp"
#include "src/cuda/probe_kernels.hpp"

#include <fmt/format.h>

#include <utility>

namespace fdkbench {

namespace {

constexpr std::size_t kWordBytes = 16;

Stream open_stream(int index, const DeviceInfo& device) {
    if (const cudaError_t status = cudaSetDevice(index); status != cudaSuccess) {
        throw EnvironmentError(fmt::format("cannot use {} ({}): {}: check it with nvidia-smi",
                                           device.id,
                                           device.name,
                                           cudaGetErrorString(status)));
    }
    return make_stream();
}

/// The line of a compiler's log that says what is wrong; the first line where none says so.
std::string first_error_line(const std::string& log) {
    const std::size_t error = log.find("error");
    const std::size_t line_end = error == std::string::npos ? error : log.rfind('\n', error);
    const std::size_t begin = line_end == std::string::npos ? 0 : line_end + 1;
    return log.substr(begin, log.find('\n', begin) - begin);
}

}  // namespace

DeviceSession::DeviceSession(int index, DeviceInfo device)
    : device_(std::move(device)), stream_(open_stream(index, device_)) {}

std::unique_ptr<CudaBuffer> DeviceSession::allocate(std::size_t bytes) const {
    return std::make_unique<CudaBuffer>(bytes, device_.id);
}

const MatmulLibrary& DeviceSession::matmul() {
    if (!matmul_) {
        matmul_.emplace(stream(), device_.id);
    }
    return *matmul_;
}

SharedLibrary DeviceSession::compile(const EmbeddedFile& source,
                                     std::span<const EmbeddedFile> headers,
                                     std::span<const std::string> options) const {
    const CompileOutput output = nvrtc_compile(source, headers, options, device_.arch);
    if (!output.ok) {
        throw EnvironmentError(fmt::format("NVRTC {} does not compile for {}: {}",
                                           nvrtc_version(),
                                           device_.arch,
                                           first_error_line(output.log)));
    }
    return load_library(output.binary);
}

std::unique_ptr<Runnable> DeviceSession::probe(const std::string& name,
                                               std::uint32_t grid,
                                               std::uint32_t block) {
    if (!probes_) {
        probes_ = compile(probe_source(), {}, {});
    }
    return load(probes_, name, grid, block);
}

std::unique_ptr<Runnable> DeviceSession::load(const SharedLibrary& library,
                                              const std::string& kernel,
                                              std::uint32_t grid,
                                              std::uint32_t block) const {
    LaunchStep step;
    step.kernel = kernel;
    step.grid = {grid, 1, 1};
    step.block = {block, 1, 1};
    return std::make_unique<KernelRunnable>(
        device_, stream(), library, LaunchPlan{.steps = {step}}, LaunchMode::kPlain, nullptr);
}

std::unique_ptr<Replay> DeviceSession::record(std::size_t launches,
                                              const std::function<void(std::size_t)>& enqueue) {
    if (!delay_) {
        delay_ = load(compile(delay_source(), {}, {}), "delay", 1, 1);
    }
    // Kernels are loaded when first launched, which is not allowed while a stream is captured.
    enqueue(0);
    return std::make_unique<GraphReplay>(stream(), *delay_, launches, [&] {
        for (std::size_t i = 0; i < launches; ++i) {
            enqueue(i);
        }
    });
}

std::unique_ptr<CudaBuffer> DeviceSession::allocate_random(std::size_t bytes) {
    const std::size_t words = (bytes + kWordBytes - 1) / kWordBytes;
    auto buffer = allocate(words * kWordBytes);
    Arguments arguments;
    arguments.y = buffer->data();
    arguments.m = static_cast<std::int32_t>(words);
    probe("fill", 8 * static_cast<std::uint32_t>(device_.units), 256)->launch(arguments);
    return buffer;
}

}  // namespace fdkbench
