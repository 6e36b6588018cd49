#include "src/cuda/device.hpp"

#include "src/core/arithmetic.hpp"
#include "src/core/error.hpp"
#include "src/cuda/check.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>

namespace fdkbench {

namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string uuid_text(const cudaUUID_t& uuid) {
    std::string text = "GPU-";
    for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
        const bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        text += fmt::format("{}{:02x}", dash ? "-" : "", static_cast<unsigned char>(uuid.bytes[i]));
    }
    return text;
}

/// From 9.0 on, code for exactly this GPU ("a") may use all of its instructions.
std::string arch_text(int major, int minor) {
    return fmt::format("sm_{}{}{}", major, minor, major >= 9 ? "a" : "");
}

int clock_khz(int index, cudaDeviceAttr attribute) {
    int khz = 0;
    check(cudaDeviceGetAttribute(&khz, attribute, index), "cudaDeviceGetAttribute");
    return khz;
}

/// Two transfers in each cycle.
double memory_gb_s(int index, const cudaDeviceProp& device) {
    return 2e-6 * clock_khz(index, cudaDevAttrMemoryClockRate) * device.memoryBusWidth / 8;
}

Facts describe(int index, const cudaDeviceProp& device) {
    Facts facts;
    for (const auto& [name, attribute] : {std::pair{"SM clock", cudaDevAttrClockRate},
                                          std::pair{"memory clock", cudaDevAttrMemoryClockRate}}) {
        facts.emplace_back(name, fmt::format("{} MHz", clock_khz(index, attribute) / 1000));
    }
    facts.emplace_back("memory bus", fmt::format("{} bits", device.memoryBusWidth));
    std::array<char, 32> pci{};
    check(cudaDeviceGetPCIBusId(pci.data(), pci.size(), index), "cudaDeviceGetPCIBusId");
    facts.emplace_back("PCI", pci.data());
    return facts;
}

DeviceInfo device_info(int index) {
    cudaDeviceProp device{};
    check(cudaGetDeviceProperties(&device, index), "cudaGetDeviceProperties");
    DeviceInfo info;
    info.id = fmt::format("cuda:{}", index);
    info.backend = "cuda";
    info.name = device.name;
    info.compute_capability = 10 * device.major + device.minor;
    info.units = device.multiProcessorCount;
    info.cache_bytes = device.l2CacheSize;
    info.memory_bytes = static_cast<std::int64_t>(device.totalGlobalMem);
    info.memory_gb_s = memory_gb_s(index, device);
    info.key = fmt::format("{}, sm_{}, {} SMs, {:.0f} MiB L2, {:.0f} GiB",
                           info.name,
                           info.compute_capability,
                           info.units,
                           device.l2CacheSize / 0x1p20,
                           gib(device.totalGlobalMem));
    info.uuid = uuid_text(device.uuid);
    info.arch = arch_text(device.major, device.minor);
    info.shared_bytes_per_block = static_cast<std::int64_t>(device.sharedMemPerBlockOptin);
    info.max_threads_per_block = device.maxThreadsPerBlock;
    info.facts = describe(index, device);
    return info;
}

}  // namespace

std::vector<DeviceInfo> list_cuda_devices() {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaErrorNoDevice || status == cudaErrorInsufficientDriver) {
        cudaGetLastError();
        return {};
    }
    if (status != cudaSuccess) {
        throw EnvironmentError(
            fmt::format("the CUDA driver does not work (cudaGetDeviceCount: {}): "
                        "check it with nvidia-smi, or use --device host",
                        cudaGetErrorString(status)));
    }
    std::vector<DeviceInfo> devices;
    devices.reserve(static_cast<std::size_t>(count));
    for (int index = 0; index < count; ++index) {
        devices.push_back(device_info(index));
    }
    return devices;
}

DeviceInfo cuda_device(int index) {
    const std::vector<DeviceInfo> devices = list_cuda_devices();
    if (index < 0 || static_cast<std::size_t>(index) >= devices.size()) {
        throw EnvironmentError(
            fmt::format("there is no device cuda:{} ({} found)", index, devices.size()));
    }
    return devices[static_cast<std::size_t>(index)];
}

}  // namespace fdkbench
