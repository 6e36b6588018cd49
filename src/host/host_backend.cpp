#include "src/host/host_backend.hpp"

#include "src/core/error.hpp"
#include "src/host/ceilings.hpp"
#include "src/host/cpu_info.hpp"
#include "src/host/dnnl_matmul.hpp"
#include "src/host/dnnl_runnable.hpp"
#include "src/host/host_kernel.hpp"
#include "src/host/memory.hpp"
#include "src/host/thread_pool.hpp"
#include "src/host/toolchain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

namespace fdkbench {
namespace {

/// Cold means this many last-level caches of other memory read in between.
constexpr std::int64_t kColdFactor = 5;

class HostReplay : public Replay {
  public:
    HostReplay(HostRunnable& runnable, std::span<const Arguments> rotation)
        : runnable_(runnable), rotation_(rotation.begin(), rotation.end()) {
        for (const Arguments& arguments : rotation_) {
            runnable_.prepare(arguments);
        }
    }

    double time_us() override {
        wait_for_quiet_threads();
        // One launch that does not count wakes the runnable's threads; where a launch is long, that
        // costs more than it corrects.
        constexpr double kLongUs = 10e3;
        if (last_us_ < kLongUs) {
            runnable_.launch(rotation_.back());
        }
        const auto start = std::chrono::steady_clock::now();
        for (const Arguments& arguments : rotation_) {
            runnable_.launch(arguments);
        }
        const std::chrono::duration<double, std::micro> spent =
            std::chrono::steady_clock::now() - start;
        last_us_ = spent.count() / static_cast<double>(rotation_.size());
        return last_us_;
    }

  private:
    HostRunnable& runnable_;
    std::vector<Arguments> rotation_;
    double last_us_ = 0;
};

/// Memory that somebody else owns.
class HostView : public Buffer {
  public:
    explicit HostView(std::span<const std::byte> memory) : memory_(memory) {}
    // Whoever holds it may only read; the interface has one address for all.
    [[nodiscard]] void* data() const override { return const_cast<std::byte*>(memory_.data()); }
    [[nodiscard]] std::size_t bytes() const override { return memory_.size(); }

  private:
    std::span<const std::byte> memory_;
};

/// Without a compiler the device can be seen but not tuned.
std::string isa_of_compiler() {
    try {
        return system_toolchain().isa;
    } catch (const EnvironmentError&) {
        return "scalar";
    }
}

DeviceInfo describe_host() {
    const std::vector<CpuCache> caches = cpu_caches();
    DeviceInfo device;
    device.id = "host";
    device.backend = "host";
    device.name = cpu_model();
    device.arch = "native";
    device.units = usable_cores();
    device.cache_bytes = last_level_cache_bytes(caches);
    device.memory_bytes = total_memory_bytes();
    device.isa = isa_of_compiler();
    device.key = fmt::format("{}, {}, {} cores", device.name, device.isa, device.units);
    for (const CpuCache& cache : caches) {
        device.facts.emplace_back(cache.name, fmt::format("{} KiB", cache.bytes / 1024));
    }
    return device;
}

class HostBackend : public Backend {
  public:
    std::vector<DeviceInfo> devices() override {
        if (!device_) {
            device_ = describe_host();
        }
        return {*device_};
    }

    void open(std::size_t index) override {
        if (index != 0) {
            throw EnvironmentError(
                fmt::format("there is no host device {}: the only one is 0", index));
        }
        if (!pool_) {
            pool_.emplace(usable_cores());
            ceilings_.emplace(*pool_, kColdFactor * last_level_cache_bytes(cpu_caches()));
        }
    }

    std::unique_ptr<Buffer> allocate(std::size_t bytes) override {
        return std::make_unique<HostBuffer>(bytes);
    }
    void upload(Buffer& to, std::size_t offset, std::span<const std::byte> from) override {
        std::memcpy(static_cast<std::byte*>(to.data()) + offset, from.data(), from.size());
    }
    void download(std::span<std::byte> to, const Buffer& from, std::size_t offset) override {
        std::memcpy(to.data(), static_cast<const std::byte*>(from.data()) + offset, to.size());
    }
    void copy(Buffer& to, const Buffer& from) override {
        std::memcpy(to.data(), from.data(), std::min(to.bytes(), from.bytes()));
    }
    void fill(Buffer& to, std::byte value) override {
        std::memset(to.data(), std::to_integer<int>(value), to.bytes());
    }
    std::unique_ptr<Buffer> hold(std::span<const std::byte> from) override {
        return std::make_unique<HostView>(from);
    }
    /// Every launch has ended when it returns.
    void synchronize() override {}

    std::unique_ptr<Runnable> load(const std::filesystem::path& binary,
                                   const LaunchPlan& plan,
                                   const Problem& /*problem*/,
                                   LaunchMode /*mode*/) override {
        return std::make_unique<HostKernelRunnable>(load_host_library(binary), plan, *pool_);
    }

    std::vector<std::unique_ptr<Runnable>> baselines(const Problem& problem) override {
        std::vector<std::unique_ptr<Runnable>> runnables;
        for (const auto weights : {DnnlMatmul::Weights::kPlain, DnnlMatmul::Weights::kLibrary}) {
            try {
                runnables.push_back(std::make_unique<DnnlRunnable>(problem, weights));
            } catch (const dnnl::error& error) {
                throw EnvironmentError(fmt::format(
                    "oneDNN has no matmul for {}: {}", to_string(problem), error.what()));
            }
        }
        return runnables;
    }

    std::unique_ptr<Replay> record(Runnable& runnable,
                                   std::span<const Arguments> rotation) override {
        // Only this backend's runnables can be launched on it.
        return std::make_unique<HostReplay>(dynamic_cast<HostRunnable&>(runnable), rotation);
    }

    void reference(std::span<const float> x,
                   const Buffer& w,
                   std::span<float> y,
                   const Shape& shape) override {
        DnnlMatmul(DnnlMatmul::Type::f32, shape, DnnlMatmul::Weights::kPlain)
            .run(x.data(), w.data(), y.data());
    }

    void rest(double /*time_us*/) override {}

    Conditions conditions() override { return {}; }
    std::optional<double> energy_uj() override { return std::nullopt; }
    std::optional<int> compute_processes() override { return std::nullopt; }
    double empty_launch_us() override { return ceilings_->empty_launch_us(); }
    double read_floor_us(std::int64_t bytes) override { return ceilings_->read_floor_us(bytes); }
    double matmul_tflop_s() override { return ceilings_->matmul_tflop_s(); }
    std::vector<Ceiling> ceilings() override { return ceilings_->all(); }

  private:
    std::optional<DeviceInfo> device_;
    std::optional<ThreadPool> pool_;
    std::optional<HostCeilings> ceilings_;
};

}  // namespace

std::unique_ptr<Backend> make_host_backend() {
    return std::make_unique<HostBackend>();
}

std::vector<std::pair<std::string, std::string>> host_versions() {
    return {{"oneDNN", dnnl_version_text()}};
}

}  // namespace fdkbench
