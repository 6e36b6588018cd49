#pragma once

#include "src/core/backend.hpp"
#include "src/cuda/cublaslt.hpp"
#include "src/cuda/cuda_runnable.hpp"
#include "src/cuda/handles.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fdkbench {

/// y[m,n] = x[m,k] · w[n,k]ᵀ for cuBLASLt: shape and the types it computes with.
struct MatmulSpec {
    Shape shape;
    cudaDataType_t type = CUDA_R_16BF;  ///< of x, w and y
    cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
    std::string label;  ///< of the types, for people: "bf16"
};

/// The 16-bit product of a problem with fp32 accumulation.
MatmulSpec matmul_spec(const Problem& problem);

/// cuBLASLt on one stream, with a workspace of its own that all its matmuls share.
class MatmulLibrary {
  public:
    static constexpr std::size_t kWorkspaceBytes = 32 << 20;

    MatmulLibrary(cudaStream_t stream, const std::string& device_id);

    /// The first `at_most` heuristic choices in their order, at least one. They must be gone before
    /// the library. Throws EnvironmentError when cuBLASLt offers none.
    [[nodiscard]] std::vector<std::unique_ptr<CudaRunnable>> algorithms(const MatmulSpec& spec,
                                                                        int at_most) const;

    /// The first heuristic choice for each m, which is asked for when m is launched first.
    [[nodiscard]] std::unique_ptr<CudaRunnable> by_m(const MatmulSpec& spec) const;

    /// For every m, chosen once: for up to 1, 2, 4, … rows, and several products for more than
    /// kMostRows. A launch allocates nothing, waits for nothing and takes no lock of ours; nor does
    /// cuBLASLt once a product of each of those ranges was launched.
    [[nodiscard]] std::unique_ptr<CudaRunnable> for_any_m(const MatmulSpec& spec) const;
    static constexpr std::int64_t kMostRows = 4096;

  private:
    struct Destroy {
        void operator()(cublasLtHandle_t handle) const { cublaslt().destroy(handle); }
    };

    cudaStream_t stream_;
    CudaBuffer workspace_;
    std::unique_ptr<cublasLtContext, Destroy> handle_;
};

}  // namespace fdkbench
