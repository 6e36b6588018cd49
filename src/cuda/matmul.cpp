#include "src/cuda/matmul.hpp"

#include "src/core/error.hpp"
#include "src/cuda/check.hpp"

#include <fmt/format.h>

#include <utility>

namespace fdkbench {

namespace {

/// What all algorithms of one product share. cuBLASLt is column-major: there, row-major y[m,n] is
/// an n × m matrix, and y = w'ᵀ · x' with w' k × n and x' k × m, both of leading dimension k.
struct Product {
    explicit Product(const MatmulSpec& spec) {
        const auto m = static_cast<std::uint64_t>(spec.shape.m);
        const auto n = static_cast<std::uint64_t>(spec.shape.n);
        const auto k = static_cast<std::uint64_t>(spec.shape.k);
        const CublasLt& lt = cublaslt();
        check(lt.init_operation(&operation, sizeof operation, spec.compute, CUDA_R_32F),
              "cublasLtMatmulDescInit");
        const cublasOperation_t transposed = CUBLAS_OP_T;
        check(lt.set_operation(
                  &operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
              "cublasLtMatmulDescSetAttribute");
        check(lt.init_layout(&w, sizeof w, spec.type, k, n, spec.shape.k),
              "cublasLtMatrixLayoutInit");
        check(lt.init_layout(&x, sizeof x, spec.type, k, m, spec.shape.k),
              "cublasLtMatrixLayoutInit");
        check(lt.init_layout(&y, sizeof y, spec.type, n, m, spec.shape.n),
              "cublasLtMatrixLayoutInit");
    }

    cublasLtMatmulDescOpaque_t operation{};
    cublasLtMatrixLayoutOpaque_t w{};
    cublasLtMatrixLayoutOpaque_t x{};
    cublasLtMatrixLayoutOpaque_t y{};
};

/// Where a matmul runs.
struct Place {
    cublasLtHandle_t handle;
    cudaStream_t stream;
    void* workspace;
};

class MatmulRunnable final : public CudaRunnable {
  public:
    MatmulRunnable(std::shared_ptr<Product> product,
                   const cublasLtMatmulAlgo_t& algorithm,
                   Place place,
                   std::string name)
        : CudaRunnable(place.stream),
          product_(std::move(product)),
          algorithm_(algorithm),
          place_(place),
          name_(std::move(name)) {}

    void launch_on(cudaStream_t stream, const Arguments& arguments) override {
        const float one = 1;
        const float zero = 0;
        check(cublaslt().matmul(place_.handle,
                                &product_->operation,
                                &one,
                                arguments.w,
                                &product_->w,
                                arguments.x,
                                &product_->x,
                                &zero,
                                arguments.y,
                                &product_->y,
                                arguments.y,
                                &product_->y,
                                &algorithm_,
                                place_.workspace,
                                MatmulLibrary::kWorkspaceBytes,
                                stream),
              "cublasLtMatmul");
    }
    [[nodiscard]] KernelResources resources() const override { return {}; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return 0; }
    [[nodiscard]] std::string name() const override { return name_; }

  private:
    std::shared_ptr<Product> product_;
    cublasLtMatmulAlgo_t algorithm_;
    Place place_;
    std::string name_;
};

/// cuBLASLt's choices, best first. `product` is not changed, but its descriptors are not const.
std::vector<cublasLtMatmulAlgo_t> heuristic_choices(cublasLtHandle_t handle,
                                                    Product& product,
                                                    int at_most) {
    const CublasLt& lt = cublaslt();
    cublasLtMatmulPreferenceOpaque_t preference{};
    check(lt.init_preference(&preference, sizeof preference), "cublasLtMatmulPreferenceInit");
    const std::uint64_t workspace_bytes = MatmulLibrary::kWorkspaceBytes;
    check(lt.set_preference(&preference,
                            CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                            &workspace_bytes,
                            sizeof workspace_bytes),
          "cublasLtMatmulPreferenceSetAttribute");
    std::vector<cublasLtMatmulHeuristicResult_t> results(static_cast<std::size_t>(at_most));
    int found = 0;
    const cublasStatus_t status = lt.heuristic(handle,
                                               &product.operation,
                                               &product.w,
                                               &product.x,
                                               &product.y,
                                               &product.y,
                                               &preference,
                                               at_most,
                                               results.data(),
                                               &found);
    if (status != CUBLAS_STATUS_NOT_SUPPORTED) {
        check(status, "cublasLtMatmulAlgoGetHeuristic");
    }
    std::vector<cublasLtMatmulAlgo_t> choices;
    for (int i = 0; i < found; ++i) {
        if (results[i].state == CUBLAS_STATUS_SUCCESS) {
            choices.push_back(results[i].algo);
        }
    }
    return choices;
}

}  // namespace

MatmulSpec matmul_spec(const Problem& problem) {
    return {.shape = problem.shape,
            .type = problem.type == ElementType::kBf16 ? CUDA_R_16BF : CUDA_R_16F,
            .compute = CUBLAS_COMPUTE_32F,
            .label = std::string(to_string(problem.type))};
}

MatmulLibrary::MatmulLibrary(cudaStream_t stream, const std::string& device_id)
    : stream_(stream), workspace_(kWorkspaceBytes, device_id) {
    cublasLtHandle_t handle = nullptr;
    check(cublaslt().create(&handle), "cublasLtCreate");
    handle_.reset(handle);
}

std::vector<std::unique_ptr<CudaRunnable>> MatmulLibrary::algorithms(const MatmulSpec& spec,
                                                                     int at_most) const {
    const auto product = std::make_shared<Product>(spec);
    const auto choices = heuristic_choices(handle_.get(), *product, at_most);
    if (choices.empty()) {
        throw EnvironmentError(fmt::format("cuBLASLt offers no {} matmul for {}: use another shape",
                                           spec.label,
                                           to_string(spec.shape)));
    }
    std::vector<std::unique_ptr<CudaRunnable>> runnables;
    runnables.reserve(choices.size());
    for (const cublasLtMatmulAlgo_t& algorithm : choices) {
        runnables.push_back(
            std::make_unique<MatmulRunnable>(product,
                                             algorithm,
                                             Place{handle_.get(), stream_, workspace_.data()},
                                             fmt::format("cuBLASLt {}, algorithm {} of {}",
                                                         spec.label,
                                                         runnables.size() + 1,
                                                         choices.size())));
    }
    return runnables;
}

}  // namespace fdkbench
