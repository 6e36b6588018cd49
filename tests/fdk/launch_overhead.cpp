#include "src/core/fragment.hpp"
#include "src/core/statistics.hpp"
#include "src/cuda/cuda_backend.hpp"
#include "src/cuda/handles.hpp"
#include "src/cuda/kernel_runnable.hpp"
#include "src/cuda/tensor_map.hpp"
#include "tests/catch.hpp"
#include "tests/fdk/fixture.hpp"
#include "tests/kernels/points.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

constexpr double kMaxNrmse = 4e-3;
constexpr int kLaunches = 200;  // few enough to be queued without waiting for the GPU
constexpr int kRounds = 400;
constexpr int kWarmUpRounds = 20;

DeviceInfo gpu() {
    const auto devices = make_cuda_backend()->devices();
    if (devices.empty()) {
        skip_program("no CUDA device");
    }
    return devices.front();
}

void require_cuda(cudaError_t status) {
    INFO(cudaGetErrorString(status));
    REQUIRE(status == cudaSuccess);
}

template <typename Values>
CudaBuffer on_gpu(const Values& values) {
    const std::size_t bytes = values.size() * sizeof(typename Values::value_type);
    CudaBuffer buffer(bytes, "cuda:0");
    require_cuda(cudaMemcpy(buffer.data(), values.data(), bytes, cudaMemcpyHostToDevice));
    require_cuda(cudaDeviceSynchronize());  // the stream that launches does not wait for others
    return buffer;
}

/// The weights in the layout of an entry.
struct Operands {
    Operands(const TableEntry& entry, const Weights& weights)
        : Operands(
              entry,
              QuantisedMatrix{weights.weight_data,
                              weights.scale,
                              uniform_codebook(entry.problem.format.bits, entry.problem.type)}) {}

    CudaBuffer w;
    CudaBuffer scales;
    CudaBuffer codebook;

  private:
    Operands(const TableEntry& entry, const QuantisedMatrix& canonical)
        : Operands(canonical.codebook,
                   entry.layout == Layout::kFragment
                       ? to_fragments(canonical, entry.problem.shape, entry.problem.format, 1)
                       : FragmentMatrix{canonical.weight_data, canonical.scale, {}}) {}
    Operands(const std::vector<std::uint16_t>& values, const FragmentMatrix& matrix)
        : w(on_gpu(matrix.weight_data)), scales(on_gpu(matrix.scale)), codebook(on_gpu(values)) {}
};

/// The one kernel of an entry, with everything that its launch needs made beforehand.
class BareLaunch {
  public:
    BareLaunch(const TableEntry& entry,
               std::span<const std::byte> cubin,
               const Arguments& arguments,
               cudaStream_t stream)
        : library_(load_library(cubin)), arguments_(arguments) {
        REQUIRE(entry.plan.steps.size() == 1);
        REQUIRE(entry.launch_mode == LaunchMode::kPlain);
        const LaunchStep& step = entry.plan.steps.front();
        require_cuda(cudaLibraryGetKernel(&kernel_, library_.get(), step.kernel.c_str()));
        require_cuda(cudaFuncSetAttribute(kernel_,
                                          cudaFuncAttributeMaxDynamicSharedMemorySize,
                                          static_cast<int>(step.shared_bytes)));
        configure(step, stream);
        std::size_t count = 0;
        for (const TensorMap& map : step.tensor_maps) {
            maps_.at(count) = encode(entry.plan, map, arguments_);
            parameters_.at(count) = &maps_.at(count);
            ++count;
        }
        for (void* argument : std::initializer_list<void*>{&arguments_.x,
                                                           &arguments_.w,
                                                           &arguments_.scales,
                                                           &arguments_.codebook,
                                                           &arguments_.y,
                                                           &arguments_.workspace,
                                                           &arguments_.m}) {
            parameters_.at(count++) = argument;
        }
    }
    BareLaunch(const BareLaunch&) = delete;
    BareLaunch& operator=(const BareLaunch&) = delete;
    BareLaunch(BareLaunch&&) = delete;
    BareLaunch& operator=(BareLaunch&&) = delete;
    ~BareLaunch() = default;

    void operator()() {
        if (cudaLaunchKernelExC(&config_, kernel_, parameters_.data()) != cudaSuccess) {
            FAIL("cudaLaunchKernelExC");
        }
    }

  private:
    void configure(const LaunchStep& step, cudaStream_t stream) {
        config_.gridDim = {step.grid[0], step.grid[1], step.grid[2]};
        config_.blockDim = {step.block[0], step.block[1], step.block[2]};
        config_.dynamicSmemBytes = step.shared_bytes;
        config_.stream = stream;
        if (step.cluster > 1) {
            cluster_.id = cudaLaunchAttributeClusterDimension;
            cluster_.val.clusterDim = {step.cluster, 1, 1};
            config_.attrs = &cluster_;
            config_.numAttrs = 1;
        }
    }

    SharedLibrary library_;
    cudaKernel_t kernel_ = nullptr;
    Arguments arguments_;
    cudaLaunchConfig_t config_{};
    cudaLaunchAttribute cluster_{};
    KernelRunnable::StepMaps maps_{};
    std::array<void*, KernelRunnable::kMostTensorMaps + 7> parameters_{};
};

/// CPU time of each of many launches in a row, in ns; waits for them afterwards.
template <typename Launch>
double launch_ns(const Launch& launch, cudaStream_t stream) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kLaunches; ++i) {
        launch();
    }
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - start;
    require_cuda(cudaStreamSynchronize(stream));
    return elapsed.count() / kLaunches;
}

struct Overhead {
    std::vector<double> matmul_ns;
    std::vector<double> bare_ns;

    /// Of the rounds' differences: the median, and its 95 % interval by their order.
    [[nodiscard]] std::array<double, 3> difference() const {
        std::vector<double> sorted;
        std::ranges::transform(matmul_ns, bare_ns, std::back_inserter(sorted), std::minus<>());
        std::ranges::sort(sorted);
        const auto count = static_cast<double>(sorted.size());
        const auto low = static_cast<std::size_t>((count - 1.96 * std::sqrt(count)) / 2);
        return {median(sorted), sorted.at(low), sorted.at(sorted.size() - 1 - low)};
    }
};

/// Rounds of one batch of each kind, in random order.
template <typename Matmul, typename Bare>
Overhead measured(const Matmul& matmul, const Bare& bare, cudaStream_t stream) {
    Overhead overhead;
    std::mt19937 random(1);
    for (int round = -kWarmUpRounds; round < kRounds; ++round) {
        const bool matmul_first = random() % 2 == 0;
        double bare_ns = matmul_first ? 0 : launch_ns(bare, stream);
        const double matmul_ns = launch_ns(matmul, stream);
        bare_ns = matmul_first ? launch_ns(bare, stream) : bare_ns;
        if (round >= 0) {
            overhead.matmul_ns.push_back(matmul_ns);
            overhead.bare_ns.push_back(bare_ns);
        }
    }
    return overhead;
}

void print(const std::string& family, std::int64_t m, const Overhead& overhead) {
    const auto [difference, lo, hi] = overhead.difference();
    fmt::print("{:<14} {:>3} {:>13.0f} {:>10.0f} {:>7.0f} [{:.0f}, {:.0f}]\n",
               family,
               m,
               median(overhead.matmul_ns),
               median(overhead.bare_ns),
               difference,
               lo,
               hi);
}

/// Measures one family's kernel, and that both launches of it compute y.
void compare(const DeviceInfo& device, const std::string& family, std::int64_t m) {
    const Problem problem{.shape = {m, 1024, 1024}, .format = {4, 64}, .type = ElementType::kBf16};
    BundleMaker maker(device, make_nvrtc_compiler());
    maker.add(family, problem);
    const TableEntry& entry = maker.table.entries.front();
    const std::string path = maker.write();
    const Bundle bundle = read_bundle(path);
    const Table table = load(path);
    const Weights weights = random_weights(problem, 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, "cuda:0");

    const std::vector<std::uint16_t> host_x = random_activations(problem, 3);
    const CudaBuffer x = on_gpu(host_x);
    std::vector<std::uint16_t> host_y(static_cast<std::size_t>(m * problem.shape.n));
    const CudaBuffer y = on_gpu(host_y);
    const Operands operands(entry, weights);
    const CudaBuffer workspace = on_gpu(std::vector<char>(entry.plan.workspace_bytes + 1));
    const Stream stream = make_stream();
    BareLaunch bare(entry,
                    bundle.binaries.at(entry.binary_hash),
                    {x.data(),
                     operands.w.data(),
                     operands.scales.data(),
                     operands.codebook.data(),
                     y.data(),
                     workspace.data(),
                     static_cast<std::int32_t>(m)},
                    stream.get());
    const auto launch_bare = [&] { bare(); };
    const auto multiply = [&] {
        if (fdk_matmul(matrix.get(), stream.get(), x.data(), m, y.data()) != FDK_OK) {
            FAIL(fdk_last_error());
        }
    };
    const auto error = [&](const auto& launch) {
        require_cuda(cudaMemsetAsync(y.data(), 0xff, y.bytes(), stream.get()));
        launch();
        require_cuda(cudaStreamSynchronize(stream.get()));
        require_cuda(cudaMemcpy(host_y.data(), y.data(), y.bytes(), cudaMemcpyDeviceToHost));
        return nrmse(host_y, host_x, weights, problem);
    };
    CHECK(error(launch_bare) < kMaxNrmse);
    CHECK(error(multiply) < kMaxNrmse);
    print(family, m, measured(multiply, launch_bare, stream.get()));
}

}  // namespace

TEST_CASE("What fdk_matmul costs the CPU beyond the launch of its kernel is printed") {
    const DeviceInfo device = gpu();
    fmt::print("CPU time per call in ns, {} calls in a row, median of {} rounds; {}\n",
               kLaunches,
               kRounds,
               device.name);
    fmt::print("kernel           m    fdk_matmul     launch  difference [95 %]\n");
    for (const auto& [family, m] : {std::pair<std::string, std::int64_t>{"lut_mv", 1},
                                    {"lut_mma", 16},
                                    {"fragment_mma", 16},
                                    {"fragment_ring", 1},
                                    {"fragment_ring", 16},
                                    {"fragment_wgmma", 64}}) {
        const Problem problem{.shape = {m, 1024, 1024}, .format = {4, 64}};
        if (family_named(family).declines(problem, device)) {
            fmt::print("{:<14} {:>3}  not for this device\n", family, m);
        } else {
            compare(device, family, m);
        }
    }
}
