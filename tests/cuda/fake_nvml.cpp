// A libnvidia-ml of one device, with as many processes on it as FAKE_NVML_PROCESSES says. It tells
// what it reads only where FAKE_NVML_READINGS is set.

#include <cstdlib>
#include <cstring>

namespace {

int device = 0;
const char* const kUuid = "GPU-fake";

template <typename Value>
int read(bool known, Value value, Value* out) {
    if (!known || std::getenv("FAKE_NVML_READINGS") == nullptr) {
        return 3;  // not supported
    }
    *out = value;
    return 0;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
    return 0;
}

int nvmlDeviceGetHandleByUUID(const char* uuid, void** handle) {
    *handle = &device;
    return std::strcmp(uuid, kUuid) == 0 ? 0 : 6;
}

/// Fails for a negative number; too little room is error 7.
int nvmlDeviceGetComputeRunningProcesses_v3(void* /*handle*/, unsigned* count, void* infos) {
    const int processes = std::atoi(std::getenv("FAKE_NVML_PROCESSES"));
    if (processes < 0) {
        return 3;
    }
    const unsigned room = infos == nullptr ? 0 : *count;
    *count = static_cast<unsigned>(processes);
    return *count > room ? 7 : 0;
}

int nvmlDeviceGetClockInfo(void* /*handle*/, int type, unsigned* mhz) {
    return read(type == 1, 1980U, mhz);
}

int nvmlDeviceGetPowerUsage(void* /*handle*/, unsigned* milliwatts) {
    return read(true, 345'600U, milliwatts);
}

int nvmlDeviceGetTemperature(void* /*handle*/, int sensor, unsigned* celsius) {
    return read(sensor == 0, 61U, celsius);
}

/// Idle (1), which says nothing, the power cap (4) and heat (0x40).
int nvmlDeviceGetCurrentClocksThrottleReasons(void* /*handle*/, unsigned long long* reasons) {
    return read(true, 0x45ULL, reasons);
}

int nvmlDeviceGetTotalEnergyConsumption(void* /*handle*/, unsigned long long* millijoules) {
    return read(true, 1234ULL, millijoules);
}

}  // extern "C"
