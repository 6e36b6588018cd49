#include "src/core/accuracy.hpp"
#include "src/core/half.hpp"
#include "tests/cuda/gpu.hpp"

#include <random>
#include <set>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

/// Random normal numbers, of the element type when one is given.
std::vector<std::uint16_t> random_bits(std::int64_t count, ElementType type, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<std::uint16_t> bits(static_cast<std::size_t>(count));
    for (auto& value : bits) {
        value = to_bits16(normal(generator), type);
    }
    return bits;
}

std::vector<float> widen(const std::vector<std::uint16_t>& bits, ElementType type) {
    std::vector<float> values;
    for (const std::uint16_t value : bits) {
        values.push_back(from_bits16(value, type));
    }
    return values;
}

std::vector<float> cpu_product(const std::vector<float>& x,
                               const std::vector<float>& w,
                               const Shape& shape) {
    std::vector<float> y;
    for (std::int64_t i = 0; i < shape.m; ++i) {
        for (std::int64_t j = 0; j < shape.n; ++j) {
            double sum = 0;
            for (std::int64_t l = 0; l < shape.k; ++l) {
                sum += double{x[i * shape.k + l]} * w[j * shape.k + l];
            }
            y.push_back(static_cast<float>(sum));
        }
    }
    return y;
}

/// A problem with its data on both sides.
struct Case {
    explicit Case(const Problem& problem_)
        : problem(problem_),
          x_bits(random_bits(problem.shape.m * problem.shape.k, problem.type, 1)),
          w_bits(random_bits(problem.shape.n * problem.shape.k, problem.type, 2)),
          x(to_gpu(x_bits)),
          w(to_gpu(w_bits)),
          y(gpu().allocate(2 * problem.shape.m * problem.shape.n)),
          expected(cpu_product(
              widen(x_bits, problem.type), widen(w_bits, problem.type), problem.shape)) {}

    [[nodiscard]] Arguments arguments() const {
        Arguments arguments;
        arguments.x = x->data();
        arguments.w = w->data();
        arguments.y = y->data();
        arguments.m = static_cast<std::int32_t>(problem.shape.m);
        return arguments;
    }
    /// Error of y; poisons y again.
    [[nodiscard]] double nrmse() const {
        gpu().synchronize();
        const double error = compare(from_gpu<std::uint16_t>(*y), problem.type, expected).nrmse;
        gpu().fill(*y, std::byte{0xff});
        return error;
    }

    Problem problem;
    std::vector<std::uint16_t> x_bits;
    std::vector<std::uint16_t> w_bits;
    std::unique_ptr<Buffer> x;
    std::unique_ptr<Buffer> w;
    std::unique_ptr<Buffer> y;
    std::vector<float> expected;
};

}  // namespace

TEST_CASE("The reference equals a product in fp64 on the CPU") {
    gpu();
    const Shape shape = GENERATE(Shape{1, 64, 128}, Shape{5, 33, 77}, Shape{16, 96, 1000});
    const auto x = widen(random_bits(shape.m * shape.k, ElementType::kFp16, 1), ElementType::kFp16);
    const auto w = widen(random_bits(shape.n * shape.k, ElementType::kFp16, 2), ElementType::kFp16);
    std::vector<float> y(static_cast<std::size_t>(shape.m * shape.n), -1);
    gpu().reference(x, *gpu().hold(std::as_bytes(std::span(w))), y, shape);
    // TF32 would leave about 3e-4.
    CHECK(compare(y, cpu_product(x, w, shape)).nrmse < 2e-6);
}

TEST_CASE("Every baseline algorithm computes the product") {
    gpu();
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const Shape shape = GENERATE(Shape{1, 512, 768}, Shape{7, 200, 328}, Shape{64, 256, 512});
    const Case data({shape, {}, type});
    const auto algorithms = gpu().baselines(data.problem);
    REQUIRE_FALSE(algorithms.empty());
    CHECK(algorithms.size() <= 8);
    CHECK(algorithms.front()->name() == "cuBLASLt " + std::string(to_string(type)) +
                                            ", algorithm 1 of " +
                                            std::to_string(algorithms.size()));
    gpu().fill(*data.y, std::byte{0xff});
    std::set<std::string> names;
    for (const auto& algorithm : algorithms) {
        INFO(algorithm->name());
        CHECK(names.insert(algorithm->name()).second);
        CHECK_FALSE(data.nrmse() < 1);  // poisoned
        algorithm->launch(data.arguments());
        CHECK(data.nrmse() < 4e-3);
    }
}

TEST_CASE("A matmul step multiplies by the weights that an earlier step put into the workspace") {
    gpu();
    const Case data({{8, 256, 512}, {}, ElementType::kBf16});
    LaunchPlan plan = one_step(256, 256);
    LaunchStep multiply;
    multiply.kind = LaunchStep::Kind::kMatmul;
    plan.steps.push_back(multiply);
    plan.workspace_bytes = 2 * 256 * 512;
    const auto copy_then_multiply =
        load_kernel(kernel_text("const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
                                "((unsigned*)workspace)[i] = ((const unsigned*)w)[i];"),
                    plan,
                    data.problem);
    const auto workspace = gpu().allocate(plan.workspace_bytes);
    gpu().fill(*workspace, std::byte{0});
    Arguments arguments = data.arguments();
    arguments.workspace = workspace->data();
    copy_then_multiply->launch(arguments);
    CHECK(data.nrmse() < 4e-3);
}
