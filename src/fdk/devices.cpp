#include "src/fdk/devices.hpp"

#include "src/core/error.hpp"
#include "src/fdk/device_notice.hpp"
#include "src/fdk/status.hpp"
#if FDK_HAS_CUDA
#include "src/cuda/serving.hpp"
#endif
#if FDK_HAS_HOST
#include "src/host/serving.hpp"
#endif

#include <fmt/format.h>

#include <charconv>
#include <mutex>
#include <string_view>
#include <utility>

namespace fdkbench {
namespace {

[[noreturn]] void fail(const std::string& message) {
    throw StatusError(FDK_NO_DEVICE, message);
}

/// Of "cuda:1" 1.
int gpu_index(const std::string& id) {
    constexpr std::string_view kPrefix = "cuda:";
    int index = -1;
    const char* end = id.data() + id.size();
    const char* begin = id.data() + (id.starts_with(kPrefix) ? kPrefix.size() : id.size());
    const auto [stop, error] = std::from_chars(begin, end, index);
    if (error != std::errc() || stop != end) {
        fail(fmt::format("'{}' is no device: give cuda:0, cuda:1, …", id));
    }
    return index;
}

#if FDK_HAS_CUDA
std::unique_ptr<ServingDevice> make_cuda(const std::string& id) {
    return make_cuda_serving_device(gpu_index(id));
}

std::unique_ptr<Quantiser> made_quantiser(const std::string& id) {
    return make_quantiser(gpu_index(id));
}
#else
[[noreturn]] void fail_without_cuda(const std::string& id) {
    static_cast<void>(gpu_index(id));
    fail(fmt::format("there is no {}: this library was built without CUDA", id));
}

std::unique_ptr<ServingDevice> make_cuda(const std::string& id) {
    fail_without_cuda(id);
}

std::unique_ptr<Quantiser> made_quantiser(const std::string& id) {
    fail_without_cuda(id);
}
#endif

std::unique_ptr<ServingDevice> make_host(const std::string& /*id*/) {
#if FDK_HAS_HOST
    return make_host_serving_device();
#else
    fail("this library was built without kernels for the host");
#endif
}

/// What `make` gives for a device that may not be there.
template <typename Make>
auto made(const std::string& id, const Make& make) {
    try {
        return make(id);
    } catch (const EnvironmentError& error) {
        fail(error.what());
    } catch (const CandidateError& error) {
        fail(fmt::format("cannot use {}: {}", id, error.what()));
    }
}

/// Kernels for the CPU are compiled for exactly the one that they were measured on: on another,
/// they may crash.
void require_match(const DeviceInfo& device, const ServingTable& table) {
    const bool is_host = table.device.backend == "host";
    if (device.arch != table.device.arch || (is_host && device.name != table.device.name)) {
        fail(
            fmt::format("the table {} has kernels for {} ({}), {} is {} ({}): sweep on this device "
                        "and write a bundle of that",
                        table.name,
                        table.device.name,
                        table.device.arch,
                        device.id,
                        device.name,
                        device.arch));
    }
}

}  // namespace

void with_quantiser(const std::string& id, const std::function<void(Quantiser&)>& work) {
    struct Place {
        std::mutex mutex;
        std::unique_ptr<Quantiser> quantiser;
    };
    // Never destroyed: at the program's end the driver may be gone first.
    static auto& places = *new std::map<std::string, Place>();
    static std::mutex& mutex = *new std::mutex();
    Place* place = nullptr;
    {
        const std::lock_guard lock(mutex);
        place = &places[id];
    }
    const std::lock_guard lock(place->mutex);
    if (!place->quantiser) {
        place->quantiser = made(id, made_quantiser);
    }
    work(*place->quantiser);
}

const Devices::Opened& Devices::open(const std::string& id, const ServingTable& table) {
    const std::string first = table.device.backend == "host" ? "host" : "cuda:0";
    const std::string& wanted = id.empty() ? first : id;
    if (wanted != "host" && !wanted.starts_with("cuda:")) {
        fail(fmt::format("'{}' is no device: give cuda:0, cuda:1, … or host", wanted));
    }
    if ((wanted == "host") != (table.device.backend == "host")) {
        fail(fmt::format("the table {} has kernels for {} ({}), which cannot run on {}",
                         table.name,
                         table.device.name,
                         table.device.backend,
                         wanted));
    }
    const auto found = opened_.find(wanted);
    if (found != opened_.end()) {
        return found->second;
    }
    std::shared_ptr<ServingDevice> device = made(wanted, wanted == "host" ? make_host : make_cuda);
    require_match(device->info(), table);
    std::string notice = device_notice(table.name, table.device, device->info());
    return opened_.emplace(wanted, Opened{std::move(device), std::move(notice)}).first->second;
}

}  // namespace fdkbench
