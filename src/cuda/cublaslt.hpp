#pragma once

#include <cublasLt.h>

namespace fdkbench {

/// The functions of cuBLASLt that the project calls. The library is loaded at first use: loading it
/// takes about a tenth of a second and 200 MB, which a compile process or a `hello` need not pay.
struct CublasLt {
    decltype(&cublasLtCreate) create;
    decltype(&cublasLtDestroy) destroy;
    decltype(&cublasLtGetStatusString) status_string;
    decltype(&cublasLtMatmulDescInit_internal) init_operation;
    decltype(&cublasLtMatmulDescSetAttribute) set_operation;
    decltype(&cublasLtMatrixLayoutInit_internal) init_layout;
    decltype(&cublasLtMatmulPreferenceInit_internal) init_preference;
    decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference;
    decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
    decltype(&cublasLtMatmulAlgoCheck) check_algorithm;
    decltype(&cublasLtMatmul) matmul;
};

/// Throws EnvironmentError when the library cannot be loaded.
const CublasLt& cublaslt();

}  // namespace fdkbench
