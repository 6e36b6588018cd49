#include "src/cuda/cuda_backend.hpp"

#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/cuda/ceilings.hpp"
#include "src/cuda/check.hpp"
#include "src/cuda/device.hpp"
#include "src/cuda/device_session.hpp"
#include "src/cuda/fragment_packer.hpp"
#include "src/cuda/nvml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

namespace fdkbench {

namespace {

constexpr int kBaselineAlgorithms = 8;

std::vector<std::byte> read_binary(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<std::byte> bytes(file ? static_cast<std::size_t>(file.tellg()) : 0);
    file.seekg(0);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file) {
        throw CandidateError(CandidateStatus::kRuntime, "cannot read " + path.string());
    }
    return bytes;
}

class CudaBackend final : public Backend {
  public:
    std::vector<DeviceInfo> devices() override { return list_cuda_devices(); }

    void open(std::size_t index) override {
        const auto found = devices();
        if (index >= found.size()) {
            throw EnvironmentError(
                fmt::format("there is no device cuda:{} ({} found): see fdkbench devices",
                            index,
                            found.size()));
        }
        opened_.emplace(static_cast<int>(index), found[index]);
    }

    std::unique_ptr<Buffer> allocate(std::size_t bytes) override {
        return session().allocate(bytes);
    }

    void upload(Buffer& to, std::size_t offset, std::span<const std::byte> from) override {
        check(cudaMemcpyAsync(static_cast<std::byte*>(to.data()) + offset,
                              from.data(),
                              from.size(),
                              cudaMemcpyHostToDevice,
                              session().stream()),
              "copying to the device");
        synchronize();
    }

    void download(std::span<std::byte> to, const Buffer& from, std::size_t offset) override {
        check(cudaMemcpyAsync(to.data(),
                              static_cast<const std::byte*>(from.data()) + offset,
                              to.size(),
                              cudaMemcpyDeviceToHost,
                              session().stream()),
              "copying from the device");
        synchronize();
    }

    void copy(Buffer& to, const Buffer& from) override {
        check(cudaMemcpyAsync(to.data(),
                              from.data(),
                              std::min(to.bytes(), from.bytes()),
                              cudaMemcpyDeviceToDevice,
                              session().stream()),
              "copying on the device");
    }

    void fill(Buffer& to, std::byte value) override {
        check(
            cudaMemsetAsync(to.data(), std::to_integer<int>(value), to.bytes(), session().stream()),
            "filling memory");
    }

    void upload_fragments(Buffer& to,
                          std::size_t scales_offset,
                          const QuantisedMatrix& matrix,
                          const Problem& problem) override {
        const FragmentExtents extents = fragment_extents(matrix, problem.shape, problem.format);
        const auto weights = uploaded(std::as_bytes(std::span(matrix.weight_data)));
        const auto scales = uploaded(std::as_bytes(std::span(matrix.scale)));
        auto* packed_scales = static_cast<std::byte*>(to.data()) + scales_offset;
        opened().packer.pack(session().stream(),
                             {weights->data(), scales->data()},
                             {to.data(), packed_scales},
                             extents,
                             problem.format.bits);
        synchronize();
    }

    void synchronize() override {
        check(cudaStreamSynchronize(session().stream()), "waiting for the device");
    }

    std::unique_ptr<Runnable> load(const std::filesystem::path& binary,
                                   const LaunchPlan& plan,
                                   const Problem& problem,
                                   LaunchMode mode) override {
        std::unique_ptr<CudaRunnable> matmul;
        if (has_matmul(plan)) {
            matmul = session().matmul().by_m(matmul_spec(problem));
        }
        return std::make_unique<KernelRunnable>(session().device(),
                                                session().stream(),
                                                load_library(read_binary(binary)),
                                                plan,
                                                mode,
                                                std::move(matmul));
    }

    std::vector<std::unique_ptr<Runnable>> baselines(const Problem& problem) override {
        std::vector<std::unique_ptr<Runnable>> runnables;
        for (auto& algorithm :
             session().matmul().algorithms(matmul_spec(problem), kBaselineAlgorithms)) {
            runnables.push_back(std::move(algorithm));
        }
        return runnables;
    }

    std::unique_ptr<Replay> record(Runnable& runnable,
                                   std::span<const Arguments> rotation) override {
        return session().record(rotation.size(),
                                [&](std::size_t i) { runnable.launch(rotation[i]); });
    }

    void reference(std::span<const float> x,
                   const Buffer& w,
                   std::span<float> y,
                   const Shape& shape) override {
        // Pedantic: no TF32, whatever the environment says.
        const MatmulSpec spec{shape, CUDA_R_32F, CUBLAS_COMPUTE_32F_PEDANTIC, "fp32"};
        const auto device_x = uploaded(std::as_bytes(x));
        const auto device_y = allocate(y.size_bytes());
        Arguments arguments;
        arguments.x = device_x->data();
        arguments.w = w.data();
        arguments.y = device_y->data();
        session().matmul().algorithms(spec, 1).front()->launch(arguments);
        download(std::as_writable_bytes(y), *device_y, 0);
    }

    void rest(double time_us) override {
        std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(time_us));
    }

    Conditions conditions() override { return opened().nvml.conditions(); }
    std::optional<double> energy_uj() override { return opened().nvml.energy_uj(); }
    std::optional<int> compute_processes() override { return opened().nvml.compute_processes(); }
    double empty_launch_us() override { return opened().ceilings.empty_launch_us(); }
    double read_floor_us(std::int64_t bytes) override {
        return opened().ceilings.read_floor_us(bytes);
    }
    double matmul_tflop_s() override { return opened().ceilings.matmul_tflop_s(); }
    std::vector<Ceiling> ceilings() override { return opened().ceilings.all(); }

  private:
    struct Opened {
        Opened(int index, const DeviceInfo& device)
            : session(index, device), ceilings(session), packer(device), nvml(device.uuid) {}
        DeviceSession session;
        Ceilings ceilings;
        FragmentPacker packer;
        Nvml nvml;
    };

    Opened& opened() {
        if (!opened_) {
            throw std::logic_error("no CUDA device has been opened");
        }
        return *opened_;
    }
    DeviceSession& session() { return opened().session; }

    std::optional<Opened> opened_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend() {
    return std::make_unique<CudaBackend>();
}

}  // namespace fdkbench
