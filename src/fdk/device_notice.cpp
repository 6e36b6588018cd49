#include "src/fdk/device_notice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace fdkbench {
namespace {

/// Of one figure, where 0 is not known. `tolerance`: as a share of the smaller one.
bool differs(double measured, double here, double tolerance = 0) {
    return measured > 0 && here > 0 &&
           std::max(measured, here) > std::min(measured, here) * (1 + tolerance);
}

}  // namespace

std::string device_notice(const std::string& table,
                          const DeviceInfo& measured,
                          const DeviceInfo& here) {
    constexpr double kBandwidthTolerance = 0.1;
    const bool is_host = here.backend == "host";
    std::vector<std::string> theirs;
    std::vector<std::string> ours;
    const auto name = [&](const auto& text) {
        theirs.push_back(text(measured));
        ours.push_back(text(here));
    };
    if (differs(measured.units, here.units)) {
        name([&](const DeviceInfo& device) {
            return fmt::format("{} {}", device.units, is_host ? "cores" : "SMs");
        });
    }
    if (differs(static_cast<double>(measured.cache_bytes), static_cast<double>(here.cache_bytes))) {
        name([&](const DeviceInfo& device) {
            const double mib = static_cast<double>(device.cache_bytes) / 0x1p20;
            return fmt::format("{} MiB of {}", mib, is_host ? "cache" : "L2");
        });
    }
    if (differs(measured.memory_gb_s, here.memory_gb_s, kBandwidthTolerance)) {
        name([](const DeviceInfo& device) {
            return fmt::format("{:.0f} GB/s of memory bandwidth", device.memory_gb_s);
        });
    }
    if (theirs.empty()) {
        return "";
    }
    return fmt::format(
        "the table {} was measured on a device with {}, {} has {}: its kernels run here, but "
        "others "
        "may be faster; sweep on this device and write a bundle of that",
        table,
        fmt::join(theirs, ", "),
        here.id,
        fmt::join(ours, ", "));
}

}  // namespace fdkbench
