#include "src/cuda/cuda_backend.hpp"
#include "src/cuda/handles.hpp"
#include "tests/cancelling.hpp"
#include "tests/catch.hpp"
#include "tests/fdk/fixture.hpp"
#include "tests/kernels/points.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <limits>
#include <random>
#include <utility>
#include <vector>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

constexpr double kMaxNrmse = 4e-3;

DeviceInfo gpu() {
    const auto devices = make_cuda_backend()->devices();
    if (devices.empty()) {
        skip_program("no CUDA device");
    }
    return devices.front();
}

Problem problem(std::int64_t m, int bits, ElementType type = ElementType::kBf16) {
    return {.shape = {m, 512, 1024}, .format = {bits, bits == 16 ? 0 : 64}, .type = type};
}

void require_cuda(cudaError_t status) {
    INFO(cudaGetErrorString(status));
    REQUIRE(status == cudaSuccess);
}

/// In the stream's order: it does not wait for copies outside it, and those may return before they
/// end.
void upload(const CudaBuffer& to, const void* from, const Stream& stream) {
    require_cuda(
        cudaMemcpyAsync(to.data(), from, to.bytes(), cudaMemcpyHostToDevice, stream.get()));
}

/// x and y on the GPU for one product, on a stream of the caller's.
class Product {
  public:
    Product(const Problem& problem, unsigned seed)
        : Product(problem, random_activations(problem, seed)) {}
    Product(const Problem& problem, std::vector<std::uint16_t> x)
        : problem_(problem),
          host_x_(std::move(x)),
          x_(bytes_of(host_x_), "cuda:0"),
          y_(static_cast<std::size_t>(2 * problem.shape.m * problem.shape.n), "cuda:0"),
          stream_(make_stream()) {
        upload(x_, host_x_.data(), stream_);
        poison();
    }

    void poison() { require_cuda(cudaMemsetAsync(y_.data(), 0xff, y_.bytes(), stream_.get())); }
    void multiply(fdk_matrix* matrix) {
        require_ok(fdk_matmul(matrix, stream_.get(), x_.data(), problem_.shape.m, y_.data()));
    }
    /// y, when the stream has done its work.
    [[nodiscard]] std::vector<std::uint16_t> result() {
        require_cuda(cudaStreamSynchronize(stream_.get()));
        std::vector<std::uint16_t> y(y_.bytes() / 2);
        require_cuda(cudaMemcpy(y.data(), y_.data(), y_.bytes(), cudaMemcpyDeviceToHost));
        return y;
    }
    [[nodiscard]] double error(const Weights& weights) {
        return nrmse(result(), host_x_, weights, problem_);
    }
    /// Row `row` of x on its own.
    [[nodiscard]] std::vector<std::uint16_t> multiply_alone(fdk_matrix* matrix, std::int64_t row) {
        poison();
        const auto* x = static_cast<const std::uint16_t*>(x_.data()) + row * problem_.shape.k;
        require_ok(fdk_matmul(matrix, stream_.get(), x, 1, y_.data()));
        std::vector<std::uint16_t> y = result();
        y.resize(static_cast<std::size_t>(problem_.shape.n));
        return y;
    }
    [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }

  private:
    static std::size_t bytes_of(const std::vector<std::uint16_t>& values) {
        return 2 * values.size();
    }

    Problem problem_;
    std::vector<std::uint16_t> host_x_;
    CudaBuffer x_;
    CudaBuffer y_;
    Stream stream_;
};

}  // namespace

TEST_CASE("A matrix multiplies on the caller's stream and in its graphs, by every family") {
    const DeviceInfo device = gpu();
    const int bits = GENERATE(16, 4, 1);
    const std::int64_t m = GENERATE(1, 16, 64);
    for (const Family* family : testing::claimants("cuda", problem(m, bits), device)) {
        INFO(family->name << ", " << to_string(problem(m, bits)));
        BundleMaker maker(device, make_nvrtc_compiler());
        maker.add(family->name, problem(m, bits));
        Table table = load(maker.write());
        const Weights weights = random_weights(problem(m, bits), 7);
        const MatrixHandle matrix = make_matrix(table.get(), weights, "cuda:0");
        table.reset();

        Product product(problem(m, bits), 3);
        // Captured before this stream, x and y have ever seen the kernel.
        cudaGraph_t captured = nullptr;
        require_cuda(cudaStreamBeginCapture(product.stream(), cudaStreamCaptureModeThreadLocal));
        product.multiply(matrix.get());
        product.multiply(matrix.get());
        require_cuda(cudaStreamEndCapture(product.stream(), &captured));
        const Graph graph(captured);
        cudaGraphExec_t instance = nullptr;
        require_cuda(cudaGraphInstantiate(&instance, graph.get(), 0));
        const GraphExec exec(instance);
        for (int replay = 0; replay < 2; ++replay) {
            product.poison();
            require_cuda(cudaGraphLaunch(exec.get(), product.stream()));
            CHECK(product.error(weights) < kMaxNrmse);
        }

        product.poison();
        product.multiply(matrix.get());
        CHECK(product.error(weights) < kMaxNrmse);
    }
}

TEST_CASE("Launches that may overlap give the same result") {
    const DeviceInfo device = gpu();
    if (!has_dependent_launches(device)) {
        skip_program("needs compute capability 9.0");
    }
    BundleMaker maker(device, make_nvrtc_compiler());
    maker.add("fragment_ring", problem(8, 4), LaunchMode::kDependent);
    const Table table = load(maker.write());
    const Weights weights = random_weights(problem(8, 4), 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
    Product product(problem(8, 4), 3);
    for (int launch = 0; launch < 20; ++launch) {
        product.multiply(matrix.get());
    }
    CHECK(product.error(weights) < kMaxNrmse);
}

TEST_CASE("Every family multiplies for m that it was not made for") {
    const DeviceInfo device = gpu();
    const int bits = GENERATE(16, 4, 1);
    const std::int64_t own = GENERATE(1, 16, 24, 64, 256);
    for (const Family* family : testing::claimants("cuda", problem(own, bits), device)) {
        BundleMaker maker(device, make_nvrtc_compiler());
        maker.add(family->name, problem(own, bits));
        const Table table = load(maker.write());
        const Weights weights = random_weights(problem(own, bits), 7);
        const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
        for (const std::int64_t m : {1, 2, 7, 8, 9, 16, 17, 40, 63, 64, 65, 130, 200, 300}) {
            INFO(family->name << " of m " << own << " for m " << m << ", " << bits << " bits");
            Product product(problem(m, bits), 3);
            product.multiply(matrix.get());
            CHECK(product.error(weights) < kMaxNrmse);
        }
    }
}

TEST_CASE("A row is the same to the bit whatever other rows there are, by every family") {
    const DeviceInfo device = gpu();
    const int bits = GENERATE(16, 8, 4, 2, 1);
    const std::int64_t own = GENERATE(1, 4, 16, 24, 64, 256);
    for (const Family* family : testing::claimants("cuda", problem(own, bits), device)) {
        BundleMaker maker(device, make_nvrtc_compiler());
        maker.add(family->name, problem(own, bits));
        if (has_matmul(maker.table.entries.front().plan)) {
            continue;  // the library chooses its algorithm by m
        }
        const Table table = load(maker.write());
        Weights weights = random_weights(problem(own, bits), 7);
        repeat_halves(weights.weight_data, weights.weight_data.size() / 512);
        repeat_halves(weights.scale, weights.scale.size() / 512);
        const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
        for (const std::int64_t m : {5, 64, 130}) {
            Product product(problem(m, bits),
                            negated_halves(random_activations(problem(m, bits), 3), 1024));
            product.multiply(matrix.get());
            const auto all = product.result();
            for (const std::int64_t row : {std::int64_t{0}, std::int64_t{3}, m - 1}) {
                INFO(family->name << " of m " << own << ", row " << row << " of " << m << ", "
                                  << bits << " bits");
                const auto alone = product.multiply_alone(matrix.get(), row);
                const auto n = static_cast<std::ptrdiff_t>(alone.size());
                CHECK(std::equal(alone.begin(), alone.end(), all.begin() + row * n));
            }
        }
    }
}

TEST_CASE("One matrix serves any m, each by its own kernel and layout") {
    const DeviceInfo device = gpu();
    BundleMaker maker(device, make_nvrtc_compiler());
    maker.add("lut_mv", problem(1, 4), LaunchMode::kPlain, 2);
    maker.add("lut_mma", problem(16, 4), LaunchMode::kPlain, 3);
    maker.add("fragment_mma", problem(32, 4), LaunchMode::kPlain, 4);
    maker.add("unfused", problem(256, 4), LaunchMode::kPlain, 9);
    maker.add("unfused", problem(512, 4), LaunchMode::kPlain, 15);
    const Table table = load(maker.write());
    const Weights weights = random_weights(problem(1, 4), 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
    for (const std::int64_t m : {512, 1, 16, 256, 32, 1, 2, 20, 33, 100, 257, 300, 511, 700}) {
        INFO("m " << m);
        Product product(problem(m, 4), 3);
        product.multiply(matrix.get());
        CHECK(product.error(weights) < kMaxNrmse);
    }
}

TEST_CASE("An m that was never launched can be captured, also where the library multiplies") {
    const DeviceInfo device = gpu();
    BundleMaker maker(device, make_nvrtc_compiler());
    maker.add("unfused", problem(64, 4));
    const Table table = load(maker.write());
    const Weights weights = random_weights(problem(64, 4), 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
    // The last one is more than the library's products have rows.
    for (const std::int64_t m : {3, 100, 1000, 4100}) {
        INFO("m " << m);
        Product product(problem(m, 4), 3);
        cudaGraph_t captured = nullptr;
        require_cuda(cudaStreamBeginCapture(product.stream(), cudaStreamCaptureModeThreadLocal));
        product.multiply(matrix.get());
        require_cuda(cudaStreamEndCapture(product.stream(), &captured));
        const Graph graph(captured);
        cudaGraphExec_t instance = nullptr;
        require_cuda(cudaGraphInstantiate(&instance, graph.get(), 0));
        const GraphExec exec(instance);
        require_cuda(cudaGraphLaunch(exec.get(), product.stream()));
        CHECK(product.error(weights) < kMaxNrmse);
    }
}

TEST_CASE("A table for another architecture is refused") {
    DeviceInfo device = gpu();
    BundleMaker maker(device, make_nvrtc_compiler());
    maker.add("lut_mv", problem(1, 4));
    maker.table.device_arch = "sm_10a";
    const Table table = load(maker.write());
    const Weights weights = random_weights(problem(1, 4), 7);
    fdk_matrix* matrix = nullptr;
    CHECK_THAT(refusal(fdk_matrix_create(table.get(),
                                         &weights.format,
                                         weights.weight_data.data(),
                                         weights.scale.data(),
                                         nullptr,
                                         "cuda:0",
                                         &matrix),
                       FDK_NO_DEVICE),
               ContainsSubstring("sm_10a"));
}

TEST_CASE("A GPU quantises to the same bytes as the CPU, and refuses what is not finite") {
    gpu();
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const int bits = GENERATE(8, 4, 2, 1);
    fdk_format format{.n = 1030,
                      .k = 4032,
                      .group_size = GENERATE(32, 64, 4032),
                      .bits = bits,
                      .type = type == ElementType::kBf16 ? FDK_BF16 : FDK_FP16,
                      .layout = GENERATE(fdk_layout{FDK_CANONICAL}, fdk_layout{FDK_FRAGMENT})};
    CAPTURE(bits, format.group_size, format.layout);
    const auto count = static_cast<std::size_t>(format.n * format.k);
    std::vector<float> weights(count);
    std::mt19937 random(5);
    for (float& weight : weights) {
        weight = std::normal_distribution<float>(0, 0.02F)(random);
    }
    std::size_t weight_bytes = 0;
    std::size_t scale_bytes = 0;
    require_ok(fdk_operand_bytes(&format, &weight_bytes, &scale_bytes));
    std::vector<std::uint8_t> data(weight_bytes);
    std::vector<std::uint16_t> scale(scale_bytes / 2);
    require_ok(fdk_quantise(&format, weights.data(), FDK_FP32, nullptr, data.data(), scale.data()));

    const CudaBuffer gpu_weights(4 * count, "cuda:0");
    const CudaBuffer gpu_data(data.size(), "cuda:0");
    const CudaBuffer gpu_scale(2 * scale.size(), "cuda:0");
    const Stream stream = make_stream();
    const auto quantise_on_gpu = [&] {
        upload(gpu_weights, weights.data(), stream);
        return fdk_quantise_on(nullptr,
                               stream.get(),
                               &format,
                               gpu_weights.data(),
                               FDK_FP32,
                               nullptr,
                               static_cast<std::uint8_t*>(gpu_data.data()),
                               gpu_scale.data());
    };
    require_ok(quantise_on_gpu());
    std::vector<std::uint8_t> got_data(data.size());
    std::vector<std::uint16_t> got_scale(scale.size());
    require_cuda(
        cudaMemcpy(got_data.data(), gpu_data.data(), gpu_data.bytes(), cudaMemcpyDeviceToHost));
    require_cuda(
        cudaMemcpy(got_scale.data(), gpu_scale.data(), gpu_scale.bytes(), cudaMemcpyDeviceToHost));
    CHECK((got_data == data));
    CHECK((got_scale == scale));

    weights[4032 + 7] = -std::numeric_limits<float>::infinity();
    CHECK(quantise_on_gpu() == FDK_INVALID_ARGUMENT);
    CHECK_THAT(fdk_last_error(), ContainsSubstring("weight [1, 7] is -inf"));
}
