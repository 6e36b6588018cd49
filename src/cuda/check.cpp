#include "src/cuda/check.hpp"

#include "src/core/error.hpp"
#include "src/cuda/cublaslt.hpp"

#include <string>

namespace fdkbench {

void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) {
        return;
    }
    // An error that is not sticky must not reappear in a later, unrelated call.
    cudaGetLastError();
    throw CandidateError(CandidateStatus::kRuntime,
                         std::string(what) + ": " + cudaGetErrorString(status) + " (" +
                             cudaGetErrorName(status) + ")");
}

void check(cublasStatus_t status, const char* what) {
    if (status != CUBLAS_STATUS_SUCCESS) {
        throw CandidateError(CandidateStatus::kRuntime,
                             std::string(what) + ": " + cublaslt().status_string(status));
    }
}

}  // namespace fdkbench
