#include "src/cuda/nvml.hpp"

#include <array>
#include <dlfcn.h>
#include <utility>

namespace fdkbench {

namespace {

// From NVML's reference; its header is not part of every toolkit.
using Result = int;  // 0: success
constexpr Result kInsufficientSize = 7;
using Device = void*;
struct ProcessInfo {
    unsigned pid;
    unsigned long long memory_bytes;
    unsigned gpu_instance;
    unsigned compute_instance;
};
constexpr int kClockSm = 1;
constexpr int kSensorGpu = 0;
/// Reasons that say that the device cannot do what it could: idling, and clocks that somebody asked
/// for, are none.
constexpr std::pair<unsigned long long, const char*> kReasons[] = {
    {0x04, "sw_power_cap"},
    {0x08, "hw_slowdown"},
    {0x20, "sw_thermal_slowdown"},
    {0x40, "hw_thermal_slowdown"},
    {0x80, "hw_power_brake_slowdown"},
};

/// The functions used; all null when there is no NVML.
struct Functions {
    Result (*init)() = nullptr;
    Result (*handle_by_uuid)(const char*, Device*) = nullptr;
    Result (*clock)(Device, int, unsigned*) = nullptr;
    Result (*power_mw)(Device, unsigned*) = nullptr;
    Result (*temperature)(Device, int, unsigned*) = nullptr;
    Result (*throttle_reasons)(Device, unsigned long long*) = nullptr;
    Result (*energy_mj)(Device, unsigned long long*) = nullptr;
    Result (*processes)(Device, unsigned* count, ProcessInfo*) = nullptr;
};

template <typename Function>
void resolve(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
}

Functions load() {
    Functions functions;
    void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return functions;
    }
    resolve(library, "nvmlInit_v2", functions.init);
    if (functions.init == nullptr || functions.init() != 0) {
        return {};
    }
    resolve(library, "nvmlDeviceGetHandleByUUID", functions.handle_by_uuid);
    resolve(library, "nvmlDeviceGetClockInfo", functions.clock);
    resolve(library, "nvmlDeviceGetPowerUsage", functions.power_mw);
    resolve(library, "nvmlDeviceGetTemperature", functions.temperature);
    resolve(library, "nvmlDeviceGetCurrentClocksThrottleReasons", functions.throttle_reasons);
    resolve(library, "nvmlDeviceGetTotalEnergyConsumption", functions.energy_mj);
    resolve(library, "nvmlDeviceGetComputeRunningProcesses_v3", functions.processes);
    return functions;
}

const Functions& nvml() {
    static const Functions functions = load();
    return functions;
}

/// What `function` tells of the device; nothing when it cannot.
template <typename Value, typename Function, typename... Arguments>
std::optional<Value> ask(Function function, Device device, Arguments... arguments) {
    Value value{};
    if (device == nullptr || function == nullptr || function(device, arguments..., &value) != 0) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

Nvml::Nvml(const std::string& uuid) {
    if (nvml().handle_by_uuid == nullptr || nvml().handle_by_uuid(uuid.c_str(), &device_) != 0) {
        device_ = nullptr;
    }
}

Conditions Nvml::conditions() const {
    Conditions now;
    now.sm_clock_mhz = ask<unsigned>(nvml().clock, device_, kClockSm);
    if (const auto power_mw = ask<unsigned>(nvml().power_mw, device_)) {
        now.power_w = *power_mw * 1e-3;
    }
    now.temperature_c = ask<unsigned>(nvml().temperature, device_, kSensorGpu);
    const auto active = ask<unsigned long long>(nvml().throttle_reasons, device_).value_or(0);
    for (const auto& [bit, name] : kReasons) {
        if ((active & bit) != 0) {
            now.throttle_reasons.emplace_back(name);
        }
    }
    return now;
}

std::optional<double> Nvml::energy_uj() const {
    const auto energy_mj = ask<unsigned long long>(nvml().energy_mj, device_);
    return energy_mj ? std::optional(static_cast<double>(*energy_mj) * 1e3) : std::nullopt;
}

std::optional<int> Nvml::compute_processes() const {
    if (device_ == nullptr || nvml().processes == nullptr) {
        return std::nullopt;
    }
    std::array<ProcessInfo, 64> infos{};
    auto count = static_cast<unsigned>(infos.size());
    const Result result = nvml().processes(device_, &count, infos.data());
    // With too little room, it still says how many there are.
    return result == 0 || result == kInsufficientSize ? std::optional(static_cast<int>(count))
                                                      : std::nullopt;
}

}  // namespace fdkbench
