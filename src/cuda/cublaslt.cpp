#include "src/cuda/cublaslt.hpp"

#include "src/core/error.hpp"

#include <dlfcn.h>
#include <string>

namespace fdkbench {

namespace {

template <typename Function>
void resolve(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) {
        throw EnvironmentError(std::string("cuBLASLt has no function ") + name +
                               ": install the cuBLAS of the CUDA toolkit that this program was "
                               "built with");
    }
}

CublasLt load() {
    const std::string soname = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
    void* library = dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw EnvironmentError(std::string("cannot load cuBLASLt (") + dlerror() +
                               "): install the CUDA toolkit, or put the folder of " + soname +
                               " into LD_LIBRARY_PATH");
    }
    CublasLt table{};
    resolve(library, "cublasLtCreate", table.create);
    resolve(library, "cublasLtDestroy", table.destroy);
    resolve(library, "cublasLtGetStatusString", table.status_string);
    resolve(library, "cublasLtMatmulDescInit_internal", table.init_operation);
    resolve(library, "cublasLtMatmulDescSetAttribute", table.set_operation);
    resolve(library, "cublasLtMatrixLayoutInit_internal", table.init_layout);
    resolve(library, "cublasLtMatmulPreferenceInit_internal", table.init_preference);
    resolve(library, "cublasLtMatmulPreferenceSetAttribute", table.set_preference);
    resolve(library, "cublasLtMatmulAlgoGetHeuristic", table.heuristic);
    resolve(library, "cublasLtMatmulAlgoCheck", table.check_algorithm);
    resolve(library, "cublasLtMatmul", table.matmul);
    return table;
}

}  // namespace

const CublasLt& cublaslt() {
    static const CublasLt table = load();
    return table;
}

}  // namespace fdkbench
