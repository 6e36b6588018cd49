#include "src/cuda/handles.hpp"

#include "src/core/arithmetic.hpp"
#include "src/core/error.hpp"
#include "src/cuda/check.hpp"

#include <fmt/format.h>

namespace fdkbench {

Stream make_stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    return Stream(stream);
}

Event make_event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreate(&event), "cudaEventCreate");
    return Event(event);
}

CudaBuffer::CudaBuffer(std::size_t bytes, const std::string& device_id) : bytes_(bytes) {
    void* data = nullptr;
    const cudaError_t status = cudaMalloc(&data, bytes);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        std::size_t free = 0;
        std::size_t total = 0;
        check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
        throw EnvironmentError(fmt::format(
            "needs {:.2f} GiB more on {}, where {:.2f} of {:.2f} GiB are free: use smaller -n, -k "
            "or -m, or a smaller --cache-bytes-factor",
            gib(bytes),
            device_id,
            gib(free),
            gib(total)));
    }
    check(status, "cudaMalloc");
    data_.reset(data);
}

}  // namespace fdkbench
