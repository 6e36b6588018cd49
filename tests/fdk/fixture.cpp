#include "tests/fdk/fixture.hpp"

#include "results/intervals.hpp"
#include "src/core/accuracy.hpp"
#include "src/core/half.hpp"
#include "src/core/hash.hpp"
#include "src/core/quantise.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/points.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

namespace fdkbench::test {
namespace {

std::vector<float> normal_values(std::int64_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count));
    std::ranges::generate(values, [&] { return normal(random); });
    return values;
}

std::vector<std::uint16_t> to_bits(const std::vector<float>& values, ElementType type) {
    std::vector<std::uint16_t> bits;
    std::ranges::transform(
        values, std::back_inserter(bits), [&](float value) { return to_bits16(value, type); });
    return bits;
}

std::vector<float> to_floats(const std::vector<std::uint16_t>& bits, ElementType type) {
    std::vector<float> values;
    std::ranges::transform(
        bits, std::back_inserter(values), [&](auto value) { return from_bits16(value, type); });
    return values;
}

}  // namespace

BundleMaker::BundleMaker(DeviceInfo device, std::unique_ptr<KernelCompiler> compiler)
    : device_(std::move(device)), compiler_(std::move(compiler)) {
    table.device_key = device_.key;
    table.device_name = device_.name;
    table.device_backend = device_.backend;
    table.device_arch = device_.arch;
}

void BundleMaker::add(const std::string& name,
                      const Problem& problem,
                      LaunchMode mode,
                      double time_us) {
    const Family& family = family_named(name);
    const Params params = testing::valid_points(family, problem, device_).at(0);
    const KernelSource& source = kernel_source(family);
    std::vector<std::string> options = problem_defines(problem);
    std::ranges::copy(defines(params), std::back_inserter(options));
    const CompileOutput output =
        compiler_->compile(source.source, source.headers, options, device_.arch);
    INFO(output.log);
    REQUIRE(output.ok);
    TableEntry entry;
    entry.problem = problem;
    entry.family = name;
    entry.params = params;
    entry.plan = family.plan(problem, params, device_);
    entry.layout = family.layout;
    entry.launch_mode = mode;
    entry.time_us = time_us;
    entry.binary_hash = sha256(output.binary);
    binaries_.emplace(entry.binary_hash, output.binary);
    table.entries.push_back(entry);
}

std::string BundleMaker::write() const {
    std::map<Problem, std::vector<TableEntry>> matrices;
    for (const TableEntry& entry : table.entries) {
        Problem matrix = entry.problem;
        matrix.shape.m = 0;
        matrices[matrix].push_back(entry);
    }
    DispatchTable written = table;
    written.entries.clear();
    for (auto& [matrix, entries] : matrices) {
        std::ranges::sort(
            entries, {}, [](const TableEntry& entry) { return entry.problem.shape.m; });
        set_intervals(entries);
        written.entries.insert(written.entries.end(), entries.begin(), entries.end());
    }
    const Bundle bundle{.table = Json::parse(to_json_text(written)), .binaries = binaries_};
    const std::string path = folder_.path("bundle");
    std::ofstream(path, std::ios::binary) << to_bytes(bundle);
    return path;
}

void require_ok(fdk_status status) {
    // Threads of tests come here, too, and Catch2 is for one at a time.
    if (status != FDK_OK) {
        FAIL(fdk_last_error());
    }
}

Table load(const std::string& path) {
    fdk_table* table = nullptr;
    require_ok(fdk_table_load(path.c_str(), &table));
    return {table, fdk_table_free};
}

Weights random_weights(const Problem& problem, unsigned seed) {
    const auto [m, n, k] = problem.shape;
    const bool is_bf16 = problem.type == ElementType::kBf16;
    Weights weights{.format = {.n = n,
                               .k = k,
                               .group_size = problem.format.group_size,
                               .bits = problem.format.bits,
                               .type = is_bf16 ? FDK_BF16 : FDK_FP16,
                               .layout = FDK_CANONICAL},
                    .weight_data = {},
                    .scale = {},
                    .values = normal_values(n * k, seed)};
    weights.weight_data.resize(static_cast<std::size_t>(problem.weight_bytes()));
    weights.scale.resize(static_cast<std::size_t>(problem.scale_bytes()) / 2);
    if (!problem.format.quantised()) {
        const auto plain = to_bits(weights.values, problem.type);
        std::memcpy(weights.weight_data.data(), plain.data(), weights.weight_data.size());
        weights.values = to_floats(plain, problem.type);
        return weights;
    }
    require_ok(fdk_quantise(&weights.format,
                            weights.values.data(),
                            FDK_FP32,
                            nullptr,
                            weights.weight_data.data(),
                            weights.scale.data()));
    dequantise(
        {weights.weight_data, weights.scale, uniform_codebook(problem.format.bits, problem.type)},
        problem.shape,
        problem.format,
        problem.type,
        weights.values,
        1);
    return weights;
}

MatrixHandle make_matrix(const fdk_table* table, const Weights& weights, const char* device) {
    fdk_matrix* matrix = nullptr;
    require_ok(fdk_matrix_create(table,
                                 &weights.format,
                                 weights.weight_data.data(),
                                 weights.scale_or_null(),
                                 nullptr,
                                 device,
                                 &matrix));
    return {matrix, fdk_matrix_free};
}

std::vector<std::uint16_t> random_activations(const Problem& problem, unsigned seed) {
    return to_bits(normal_values(problem.shape.m * problem.shape.k, seed), problem.type);
}

double nrmse(const std::vector<std::uint16_t>& y,
             const std::vector<std::uint16_t>& x,
             const Weights& weights,
             const Problem& problem) {
    const auto [m, n, k] = problem.shape;
    const std::vector<float> activations = to_floats(x, problem.type);
    std::vector<float> expected;
    for (std::int64_t row = 0; row < m; ++row) {
        for (std::int64_t column = 0; column < n; ++column) {
            double sum = 0;
            for (std::int64_t i = 0; i < k; ++i) {
                sum +=
                    static_cast<double>(activations[row * k + i]) * weights.values[column * k + i];
            }
            expected.push_back(static_cast<float>(sum));
        }
    }
    return compare(y, problem.type, expected).nrmse;
}

std::string refusal(fdk_status actual, fdk_status expected) {
    INFO(fdk_last_error());
    REQUIRE(actual == expected);
    return fdk_last_error();
}

}  // namespace fdkbench::test
