#include "src/worker/host_data.hpp"

#include "src/core/available_memory.hpp"
#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "src/core/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>

namespace fdkbench {
namespace {

Uninitialised<float> to_floats(std::span<const std::uint16_t> values, ElementType type) {
    Uninitialised<float> floats(values.size());
    parallel_for(values.size(), hardware_threads(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            floats[i] = from_bits16(values[i], type);
        }
    });
    return floats;
}

// Quantised weights are packed once more for kernels that read fragments.
constexpr std::int64_t kLayouts = 2;

/// Asked before anything is allocated.
void require_memory(const Problem& problem, std::int64_t weight_bytes) {
    const Shape& shape = problem.shape;
    const std::int64_t needed = weight_bytes + shape.m * shape.k * 6 + shape.m * shape.n * 10;
    const auto available = available_memory_bytes();
    if (available && needed > *available) {
        throw EnvironmentError(
            fmt::format("{}: data and reference need {} bytes of host memory, {} are free; "
                        "choose smaller sizes",
                        to_string(problem),
                        needed,
                        *available));
    }
}

}  // namespace

WeightsKey::WeightsKey(const Problem& problem, const InputsKey& inputs)
    : n(problem.shape.n),
      k(problem.shape.k),
      format(problem.format),
      type(problem.type),
      inputs(inputs) {}

WeightsKey WeightsKey::plain() const {
    WeightsKey key = *this;
    key.format = WeightFormat{};
    key.inputs.codebook = CodebookValues::kUniform;
    return key;
}

void HostData::prepare(const Problem& problem, const InputsKey& inputs) {
    const WeightsKey key(problem, inputs);
    const bool keep_plain = plain_key_ == key.plain();
    const bool keep_quantised = quantised_key_ == key;
    x_ = {};
    x_values_ = {};
    if (!keep_quantised) {
        quantised_key_.reset();
        quantised_ = {};
    }
    if (!keep_plain) {
        plain_key_.reset();
        plain_ = {};
    }
    const Shape& shape = problem.shape;
    const std::int64_t weights = shape.n * shape.k;
    require_memory(
        problem,
        (keep_plain ? 0 : weights * 6) +
            (keep_quantised || !problem.format.quantised()
                 ? 0
                 : weights * 4 + kLayouts * (problem.weight_bytes() + problem.scale_bytes())));

    const int threads = hardware_threads();
    x_ = input_values(inputs,
                      {.role = InputRole::kActivations,
                       .count = static_cast<std::size_t>(shape.m * shape.k),
                       .type = problem.type,
                       .scale = 1},
                      threads);
    x_values_ = to_floats(x_, problem.type);
    if (!keep_plain) {
        const float scale = 1 / std::sqrt(static_cast<float>(shape.k));
        plain_.data = input_values(inputs,
                                   {.role = InputRole::kWeights,
                                    .count = static_cast<std::size_t>(weights),
                                    .type = problem.type,
                                    .scale = scale},
                                   threads);
        plain_.values = to_floats(plain_.data, problem.type);
        plain_key_ = key.plain();
    }
    if (problem.format.quantised() && !keep_quantised) {
        const auto codebook =
            (inputs.codebook == CodebookValues::kUniform ? uniform_codebook : uneven_codebook)(
                problem.format.bits, problem.type);
        quantised_.matrix =
            quantise(plain_.data, shape, problem.format, problem.type, codebook, threads);
        quantised_.values.resize(static_cast<std::size_t>(weights));
        dequantise(
            quantised_.matrix, shape, problem.format, problem.type, quantised_.values, threads);
        quantised_key_ = key;
    }
}

std::span<const float> HostData::kernel_weights() const {
    return quantised_.values.empty() ? plain_.values : quantised_.values;
}

}  // namespace fdkbench
