#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace fdkbench {

/// Throws CandidateError(runtime) "WHAT: <CUDA's words>" unless `status` is success. CUDA reports a
/// kernel's fault from whichever call comes next, so every failure counts as the candidate's.
void check(cudaError_t status, const char* what);

/// The same for cuBLASLt.
void check(cublasStatus_t status, const char* what);

}  // namespace fdkbench
