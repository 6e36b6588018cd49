// A libnvidia-ml of one device, with as many processes on it as FAKE_NVML_PROCESSES says.

#include <cstdlib>
#include <cstring>

namespace {

int device = 0;
const char* const kUuid = "GPU-fake";

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

}  // extern "C"
