#include "src/host/serving.hpp"

#include "src/host/cpu_info.hpp"
#include "src/host/host_kernel.hpp"
#include "src/host/memory.hpp"

#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace fdkbench {
namespace {

/// The pool of a device, which serves one launch at a time.
struct SharedPool {
    ThreadPool threads{usable_cores()};
    std::mutex in_use;
};

class BoundHostKernel final : public BoundKernel {
  public:
    BoundHostKernel(HostLibrary library,
                    const LaunchPlan& plan,
                    const Arguments& operands,
                    SharedPool& pool)
        : pool_(pool), operands_(operands), kernel_(std::move(library), plan, pool.threads) {}

    void launch(void* /*stream*/, const void* x, std::int32_t m, void* y) override {
        Arguments arguments = operands_;
        arguments.x = x;
        arguments.y = y;
        arguments.m = m;
        const std::lock_guard lock(pool_.in_use);
        kernel_.launch(arguments);
    }

  private:
    SharedPool& pool_;
    Arguments operands_;
    HostKernelRunnable kernel_;
};

class HostServingDevice final : public ServingDevice {
  public:
    HostServingDevice() {
        info_.id = "host";
        info_.backend = "host";
        info_.name = cpu_model();
        info_.arch = "native";
        info_.units = usable_cores();
        info_.cache_bytes = last_level_cache_bytes(cpu_caches());
    }

    [[nodiscard]] const DeviceInfo& info() const override { return info_; }

    std::unique_ptr<Buffer> upload(std::span<const std::byte> content) override {
        auto buffer = std::make_unique<HostBuffer>(content.size());
        std::memcpy(buffer->data(), content.data(), content.size());
        return buffer;
    }

    std::unique_ptr<Buffer> zeros(std::size_t bytes) override {
        auto buffer = std::make_unique<HostBuffer>(bytes);
        std::memset(buffer->data(), 0, bytes);
        return buffer;
    }

    std::unique_ptr<BoundKernel> bind(const BinaryView& binary,
                                      const LaunchPlan& plan,
                                      const Problem& /*problem*/,
                                      LaunchMode /*mode*/,
                                      const Arguments& operands) override {
        HostLibrary& library = libraries_[binary.hash];
        if (!library) {
            library = load_host_library(binary.bytes);
        }
        return std::make_unique<BoundHostKernel>(library, plan, operands, pool_);
    }

    [[nodiscard]] void* own_stream() const override { return nullptr; }
    void synchronize() override {}

  private:
    DeviceInfo info_;
    SharedPool pool_;
    std::map<std::string, HostLibrary> libraries_;
};

}  // namespace

std::unique_ptr<ServingDevice> make_host_serving_device() {
    return std::make_unique<HostServingDevice>();
}

}  // namespace fdkbench
