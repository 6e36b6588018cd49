#include "src/cuda/matmul.hpp"

#include "src/core/error.hpp"
#include "src/cuda/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>
#include <utility>

namespace fdkbench {

namespace {

/// What all algorithms of one product share. cuBLASLt is column-major: there, row-major y[m,n] is
/// an n × m matrix, and y = w'ᵀ · x' with w' k × n and x' k × m, both of leading dimension k.
struct Product {
    explicit Product(const MatmulSpec& spec) {
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
        set_rows(spec.shape, spec.type);
    }

    /// Makes it one of shape.m rows of x.
    void set_rows(const Shape& shape, cudaDataType_t type) {
        const auto m = static_cast<std::uint64_t>(shape.m);
        const auto n = static_cast<std::uint64_t>(shape.n);
        const auto k = static_cast<std::uint64_t>(shape.k);
        const CublasLt& lt = cublaslt();
        check(lt.init_layout(&x, sizeof x, type, k, m, shape.k), "cublasLtMatrixLayoutInit");
        check(lt.init_layout(&y, sizeof y, type, n, m, shape.n), "cublasLtMatrixLayoutInit");
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

/// `algorithm`: null leaves the choice to the library, at each call.
void multiply(const Place& place,
              const Product& product,
              const cublasLtMatmulAlgo_t* algorithm,
              cudaStream_t stream,
              const Arguments& arguments) {
    const float one = 1;
    const float zero = 0;
    auto described = product;  // the library's descriptors are not const
    check(cublaslt().matmul(place.handle,
                            &described.operation,
                            &one,
                            arguments.w,
                            &described.w,
                            arguments.x,
                            &described.x,
                            &zero,
                            arguments.y,
                            &described.y,
                            arguments.y,
                            &described.y,
                            algorithm,
                            place.workspace,
                            MatmulLibrary::kWorkspaceBytes,
                            stream),
          "cublasLtMatmul");
}

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
        multiply(place_, *product_, &algorithm_, stream, arguments);
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

/// What MatmulLibrary::by_m() makes.
class MatmulByM final : public CudaRunnable {
  public:
    MatmulByM(const MatmulLibrary& library, MatmulSpec spec, cudaStream_t stream)
        : CudaRunnable(stream), library_(library), spec_(std::move(spec)) {}

    void launch_on(cudaStream_t stream, const Arguments& arguments) override {
        std::unique_ptr<CudaRunnable>& matmul = matmuls_[arguments.m];
        if (!matmul) {
            spec_.shape.m = arguments.m;
            matmul = std::move(library_.algorithms(spec_, 1).front());
        }
        matmul->launch_on(stream, arguments);
    }
    [[nodiscard]] KernelResources resources() const override { return {}; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return 0; }
    [[nodiscard]] std::string name() const override { return "cuBLASLt " + spec_.label; }

  private:
    const MatmulLibrary& library_;
    MatmulSpec spec_;
    std::map<std::int32_t, std::unique_ptr<CudaRunnable>> matmuls_;
};

/// Whether the algorithm can do a product, in the workspace there is.
bool can_do(cublasLtHandle_t handle, Product& product, const cublasLtMatmulAlgo_t& algorithm) {
    cublasLtMatmulHeuristicResult_t result{};
    const cublasStatus_t status = cublaslt().check_algorithm(handle,
                                                             &product.operation,
                                                             &product.w,
                                                             &product.x,
                                                             &product.y,
                                                             &product.y,
                                                             &algorithm,
                                                             &result);
    return status == CUBLAS_STATUS_SUCCESS && result.state == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= MatmulLibrary::kWorkspaceBytes;
}

/// What MatmulLibrary::for_any_m() makes.
class MatmulForAnyM final : public CudaRunnable {
  public:
    MatmulForAnyM(MatmulSpec spec, Place place)
        : CudaRunnable(place.stream), spec_(std::move(spec)), product_(spec_), place_(place) {
        for (std::size_t range = 0; range < algorithms_.size(); ++range) {
            algorithms_[range] = choose(std::int64_t{1} << range);
        }
    }

    void launch_on(cudaStream_t stream, const Arguments& arguments) override {
        Product product = product_;
        Shape shape = spec_.shape;
        for (std::int64_t done = 0; done < arguments.m; done += shape.m) {
            shape.m = std::min(arguments.m - done, MatmulLibrary::kMostRows);
            product.set_rows(shape, spec_.type);
            const auto& algorithm = algorithms_[range_of(shape.m)];
            Arguments part = arguments;
            part.x = static_cast<const std::uint16_t*>(arguments.x) + done * shape.k;
            part.y = static_cast<std::uint16_t*>(arguments.y) + done * shape.n;
            multiply(place_, product, algorithm ? &*algorithm : nullptr, stream, part);
        }
    }
    [[nodiscard]] KernelResources resources() const override { return {}; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return 0; }
    [[nodiscard]] std::string name() const override { return "cuBLASLt " + spec_.label; }

  private:
    static constexpr int kChoices = 8;
    static constexpr std::size_t kRanges = std::bit_width(std::uint64_t{MatmulLibrary::kMostRows});

    static std::size_t range_of(std::int64_t rows) {
        return static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(rows - 1)));
    }

    /// The best for `most` rows among those that can do all of the range as well. Where there is
    /// none, the library chooses at each call.
    std::optional<cublasLtMatmulAlgo_t> choose(std::int64_t most) {
        Product largest = product_;
        Product smallest = product_;
        Shape shape = spec_.shape;
        shape.m = most / 2 + 1;
        smallest.set_rows(shape, spec_.type);
        shape.m = most;
        largest.set_rows(shape, spec_.type);
        for (const auto& choice : heuristic_choices(place_.handle, largest, kChoices)) {
            if (can_do(place_.handle, largest, choice) && can_do(place_.handle, smallest, choice)) {
                return choice;
            }
        }
        return std::nullopt;
    }

    MatmulSpec spec_;
    Product product_;
    Place place_;
    std::array<std::optional<cublasLtMatmulAlgo_t>, kRanges> algorithms_;
};

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

std::unique_ptr<CudaRunnable> MatmulLibrary::by_m(const MatmulSpec& spec) const {
    return std::make_unique<MatmulByM>(*this, spec, stream_);
}

std::unique_ptr<CudaRunnable> MatmulLibrary::for_any_m(const MatmulSpec& spec) const {
    return std::make_unique<MatmulForAnyM>(spec, Place{handle_.get(), stream_, workspace_.data()});
}

}  // namespace fdkbench
