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
#include <string_view>
#include <utility>

namespace fdkbench {
namespace {

[[noreturn]] void fail(const std::string& message) {
    throw StatusError(FDK_NO_DEVICE, message);
}

std::unique_ptr<ServingDevice> make_cuda([[maybe_unused]] const std::string& id) {
    constexpr std::string_view kPrefix = "cuda:";
    int index = -1;
    const char* end = id.data() + id.size();
    const auto [stop, error] = std::from_chars(id.data() + kPrefix.size(), end, index);
    if (error != std::errc() || stop != end) {
        fail(fmt::format("'{}' is no device: give cuda:0, cuda:1, … or host", id));
    }
#if FDK_HAS_CUDA
    return make_cuda_serving_device(index);
#else
    fail(fmt::format("there is no {}: this library was built without CUDA", id));
#endif
}

std::unique_ptr<ServingDevice> make_host() {
#if FDK_HAS_HOST
    return make_host_serving_device();
#else
    fail("this library was built without kernels for the host");
#endif
}

std::unique_ptr<ServingDevice> made(const std::string& id) {
    try {
        return id == "host" ? make_host() : make_cuda(id);
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
    std::shared_ptr<ServingDevice> device = made(wanted);
    require_match(device->info(), table);
    std::string notice = device_notice(table.name, table.device, device->info());
    return opened_.emplace(wanted, Opened{std::move(device), std::move(notice)}).first->second;
}

}  // namespace fdkbench
