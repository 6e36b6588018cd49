#include "tests/host/fixture.hpp"

#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "src/core/quantise.hpp"
#include "src/host/host_backend.hpp"
#include "tests/catch.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace fdkbench::test {
namespace {

constexpr std::size_t kGuardBytes = 256;
constexpr std::byte kPoison{0xff};  // a NaN in both element types

std::vector<std::uint16_t> normal_elements(std::int64_t count, ElementType type, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<std::uint16_t> elements(static_cast<std::size_t>(count));
    std::ranges::generate(elements, [&] { return to_bits16(normal(random), type); });
    return elements;
}

template <typename T>
std::unique_ptr<Buffer> uploaded(const std::vector<T>& values) {
    if (values.empty()) {
        return nullptr;
    }
    auto buffer = host().allocate(values.size() * sizeof(T));
    host().upload(*buffer, 0, std::as_bytes(std::span(values)));
    return buffer;
}

void* address(const std::unique_ptr<Buffer>& buffer) {
    return buffer ? buffer->data() : nullptr;
}

}  // namespace

void require_compiler() {
    try {
        (void)make_system_compiler()->version();
    } catch (const EnvironmentError& error) {
        skip_program(error.what());
    }
}

Backend& host() {
    static const std::unique_ptr<Backend> backend = [] {
        auto opened = make_host_backend();
        opened->open(0);
        return opened;
    }();
    return *backend;
}

DeviceInfo host_device() {
    return host().devices().at(0);
}

std::vector<std::string> candidate_options(const Problem& problem, const Params& params) {
    std::vector<std::string> options = problem_defines(problem);
    const std::vector<std::string> more = defines(params);
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

std::unique_ptr<TemporaryFile> compile_kernel(const KernelSource& source,
                                              const Problem& problem,
                                              const Params& params) {
    const CompileOutput output = make_system_compiler()->compile(
        source.source, source.headers, candidate_options(problem, params), "native");
    INFO(output.log);
    REQUIRE(output.ok);
    return std::make_unique<TemporaryFile>(output.binary);
}

Weights random_weights(const Problem& problem, unsigned seed) {
    const Shape& shape = problem.shape;
    const auto plain = normal_elements(shape.n * shape.k, problem.type, seed);
    Weights weights;
    weights.values.resize(plain.size());
    if (!problem.format.quantised()) {
        const auto bytes = std::as_bytes(std::span(plain));
        weights.packed.assign(bytes.begin(), bytes.end());
        std::ranges::transform(plain, weights.values.begin(), [&](std::uint16_t element) {
            return from_bits16(element, problem.type);
        });
        return weights;
    }
    // Uneven, so that a kernel that computes values instead of looking them up is found out.
    weights.codebook = uniform_codebook(problem.format.bits, problem.type);
    weights.codebook.front() = to_bits16(-1.25F, problem.type);
    const QuantisedMatrix matrix =
        quantise(plain, shape, problem.format, problem.type, weights.codebook, 1);
    dequantise(matrix, shape, problem.format, problem.type, weights.values, 1);
    const auto bytes = std::as_bytes(std::span(matrix.weight_data));
    weights.packed.assign(bytes.begin(), bytes.end());
    weights.scale = matrix.scale;
    return weights;
}

std::vector<std::uint16_t> random_activations(const Problem& problem, unsigned seed) {
    return normal_elements(problem.shape.m * problem.shape.k, problem.type, seed);
}

std::vector<float> product(const std::vector<std::uint16_t>& x,
                           const Weights& weights,
                           const Problem& problem) {
    const auto [m, n, k] = problem.shape;
    std::vector<double> x_values(x.size());
    std::ranges::transform(x, x_values.begin(), [&](std::uint16_t element) {
        return from_bits16(element, problem.type);
    });
    std::vector<float> y;
    for (std::int64_t row = 0; row < m; ++row) {
        for (std::int64_t column = 0; column < n; ++column) {
            double sum = 0;
            for (std::int64_t i = 0; i < k; ++i) {
                sum += x_values[row * k + i] * weights.values[column * k + i];
            }
            y.push_back(static_cast<float>(sum));
        }
    }
    return y;
}

std::vector<std::uint16_t> run_kernel(Runnable& runnable,
                                      const Problem& problem,
                                      const std::vector<std::uint16_t>& x,
                                      const Weights& weights) {
    const auto outputs = static_cast<std::size_t>(problem.shape.m * problem.shape.n);
    const auto x_buffer = uploaded(x);
    const auto w_buffer = uploaded(weights.packed);
    const auto scales = uploaded(weights.scale);
    const auto codebook = uploaded(weights.codebook);
    const auto y_buffer = host().allocate(outputs * sizeof(std::uint16_t) + kGuardBytes);
    const auto workspace =
        uploaded(std::vector<std::byte>(runnable.workspace_bytes() + kGuardBytes));
    host().fill(*y_buffer, kPoison);

    runnable.launch({.x = address(x_buffer),
                     .w = address(w_buffer),
                     .scales = address(scales),
                     .codebook = address(codebook),
                     .y = y_buffer->data(),
                     .workspace = workspace->data(),
                     .m = static_cast<std::int32_t>(problem.shape.m)});
    host().synchronize();

    std::vector<std::uint16_t> y(outputs);
    host().download(std::as_writable_bytes(std::span(y)), *y_buffer, 0);
    std::vector<std::byte> guard(kGuardBytes);
    host().download(guard, *y_buffer, outputs * sizeof(std::uint16_t));
    CHECK(std::ranges::count(guard, kPoison) == static_cast<std::ptrdiff_t>(kGuardBytes));
    host().download(guard, *workspace, runnable.workspace_bytes());
    CHECK(std::ranges::count(guard, std::byte{0}) == static_cast<std::ptrdiff_t>(kGuardBytes));
    return y;
}

}  // namespace fdkbench::test
