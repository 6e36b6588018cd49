#include "src/fdk/fdk.h"

#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/core/parallel.hpp"
#include "src/core/quantise.hpp"
#include "src/core/tensor_values.hpp"
#include "src/fdk/devices.hpp"
#include "src/fdk/matrix.hpp"
#include "src/fdk/serving_table.hpp"
#include "src/fdk/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace fdkbench;

struct fdk_table {
    ServingTable table;
    mutable std::mutex opening;  ///< of devices, and making of matrices on them
    mutable Devices devices;
};

struct fdk_matrix {
    Matrix matrix;
};

namespace {

thread_local std::string last_error;

fdk_status failed(fdk_status status, const char* message) noexcept {
    try {
        last_error = message;
    } catch (const std::bad_alloc&) {
        last_error.clear();
    }
    return status;
}

/// Runs what may throw; `usage`: the status of a UsageError.
template <typename Work>
fdk_status guarded(fdk_status usage, const Work& work) noexcept {
    try {
        work();
        return FDK_OK;
    } catch (const StatusError& error) {
        return failed(error.status(), error.what());
    } catch (const UsageError& error) {
        return failed(usage, error.what());
    } catch (const EnvironmentError& error) {
        return failed(FDK_ENVIRONMENT, error.what());
    } catch (const CandidateError& error) {
        return failed(FDK_DEVICE_ERROR, error.what());
    } catch (const std::bad_alloc&) {
        return failed(FDK_ENVIRONMENT, "the host has too little memory");
    } catch (const std::exception& error) {
        return failed(FDK_INTERNAL, error.what());
    }
}

void require(bool holds, const std::string& otherwise) {
    if (!holds) {
        throw StatusError(FDK_INVALID_ARGUMENT, otherwise);
    }
}

void require_given(const char* name, const void* pointer) {
    require(pointer != nullptr, fmt::format("{} is null", name));
}

ElementType element_type(fdk_type type) {
    require(type == FDK_BF16 || type == FDK_FP16,
            fmt::format("type {} is not possible here: FDK_BF16 or FDK_FP16", type));
    return type == FDK_BF16 ? ElementType::kBf16 : ElementType::kFp16;
}

TensorType tensor_type(fdk_type type) {
    return type == FDK_FP32   ? TensorType::kF32
           : type == FDK_FP16 ? TensorType::kF16
                              : TensorType::kBf16;
}

/// With m = 1.
Problem problem_of(const fdk_format* format) {
    require_given("format", format);
    const Problem problem{.shape = {1, format->n, format->k},
                          .format = {format->bits, format->group_size},
                          .type = element_type(format->type)};
    validate(problem);
    return problem;
}

/// Of what is quantised.
Layout layout_of(const fdk_format& format) {
    require(format.layout == FDK_CANONICAL || (format.layout == FDK_FRAGMENT && format.bits != 16),
            fmt::format("layout {} is not possible with {} bits: FDK_CANONICAL, or FDK_FRAGMENT "
                        "with fewer than 16",
                        format.layout,
                        format.bits));
    return format.layout == FDK_CANONICAL ? Layout::kCanonical : Layout::kFragment;
}

struct OperandBytes {
    std::int64_t weight_data;
    std::int64_t scale;
};

OperandBytes operand_bytes(const Problem& problem, Layout layout) {
    if (layout == Layout::kCanonical) {
        return {problem.weight_bytes(), problem.scale_bytes()};
    }
    return {fragment_weight_bytes(problem.shape, problem.format),
            2 * fragment_scales(problem.shape, problem.format)};
}

bool is_finite(std::uint16_t bits, ElementType type) {
    return std::isfinite(from_bits16(bits, type));
}

/// `codebook`, or the uniform one for null.
std::vector<std::uint16_t> codebook_of(const void* codebook, int bits, ElementType type) {
    if (codebook == nullptr) {
        return uniform_codebook(bits, type);
    }
    std::vector<std::uint16_t> values(std::size_t{1} << static_cast<unsigned>(bits));
    std::memcpy(values.data(), codebook, values.size() * sizeof values.front());
    require(
        std::ranges::all_of(values, [&](std::uint16_t value) { return is_finite(value, type); }) &&
            std::ranges::is_sorted(
                values, {}, [&](std::uint16_t value) { return from_bits16(value, type); }),
        fmt::format("the codebook is not {} finite ascending numbers", values.size()));
    return values;
}

[[noreturn]] void refuse_weight(const Problem& problem, std::int64_t index, float value) {
    throw StatusError(
        FDK_INVALID_ARGUMENT,
        fmt::format("weight [{}, {}] is {}, which {} cannot hold: give finite weights",
                    index / problem.shape.k,
                    index % problem.shape.k,
                    value,
                    to_string(problem.type)));
}

/// Weights rounded to the problem's type.
std::vector<std::uint16_t> rounded(const Problem& problem, const void* weights, fdk_type type) {
    const auto count = static_cast<std::size_t>(problem.shape.n * problem.shape.k);
    Tensor tensor;
    tensor.type = tensor_type(type);
    tensor.bytes = {static_cast<const std::byte*>(weights), count * (type == FDK_FP32 ? 4 : 2)};
    std::vector<std::uint16_t> values(count);
    parallel_for(count, hardware_threads(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            values[i] = to_bits16(value_at(tensor, i), problem.type);
        }
    });
    const auto bad = std::ranges::find_if_not(
        values, [&](std::uint16_t value) { return is_finite(value, problem.type); });
    if (bad != values.end()) {
        const auto at = bad - values.begin();
        refuse_weight(problem, at, value_at(tensor, static_cast<std::size_t>(at)));
    }
    return values;
}

/// What fdk_quantise() and fdk_quantise_on() take; the problem.
Problem quantisable(const fdk_format* format,
                    const void* weights,
                    fdk_type weights_type,
                    const void* weight_data,
                    const void* scale) {
    const Problem problem = problem_of(format);
    require(problem.format.quantised(), "16-bit weights are not quantised: bits 8, 4, 2 or 1");
    require_given("weights", weights);
    require_given("weight_data", weight_data);
    require_given("scale", scale);
    require(weights_type == FDK_BF16 || weights_type == FDK_FP16 || weights_type == FDK_FP32,
            fmt::format("there is no weights_type {}", weights_type));
    return problem;
}

template <typename T>
std::vector<T> copied(const void* from, std::int64_t bytes) {
    std::vector<T> values(static_cast<std::size_t>(bytes) / sizeof(T));
    std::memcpy(values.data(), from, values.size() * sizeof(T));
    return values;
}

/// `M`: QuantisedMatrix or FragmentMatrix.
template <typename M>
M given_matrix(const Problem& problem,
               const OperandBytes& bytes,
               const void* weight_data,
               const void* scale,
               const void* codebook) {
    require_given("weight_data", weight_data);
    M matrix;
    if (problem.format.quantised()) {
        require_given("scale", scale);
        matrix.scale = copied<std::uint16_t>(scale, bytes.scale);
        matrix.codebook = codebook_of(codebook, problem.format.bits, problem.type);
    } else {
        require(scale == nullptr && codebook == nullptr,
                "16-bit weights have neither scale nor codebook: give null");
    }
    matrix.weight_data = copied<std::uint8_t>(weight_data, bytes.weight_data);
    return matrix;
}

std::vector<const ServingEntry*> entries_for(const ServingTable& table, const Problem& problem) {
    auto entries = table.entries_for(problem);
    if (entries.empty()) {
        throw StatusError(
            FDK_NO_ENTRY,
            fmt::format("the table {} has no kernel for n={} k={} bits={} group_size={} {}: sweep "
                        "this shape and write the bundle again",
                        table.name,
                        problem.shape.n,
                        problem.shape.k,
                        problem.format.bits,
                        problem.format.group_size,
                        to_string(problem.type)));
    }
    return entries;
}

/// The caller holds table.opening.
const Devices::Opened& opened_device(const fdk_table& table, const char* device) {
    return table.devices.open(device == nullptr ? "" : device, table.table);
}

}  // namespace

const char* fdk_last_error(void) {
    return last_error.c_str();
}

fdk_status fdk_table_load(const char* path, fdk_table** table) {
    return guarded(FDK_BAD_FILE, [&] {
        require_given("table", table);
        *table = nullptr;
        require_given("path", path);
        *table = new fdk_table{read_serving_table(path), {}, {}};
    });
}

void fdk_table_free(fdk_table* table) {
    delete table;
}

fdk_status fdk_table_notice(const fdk_table* table, const char* device, const char** notice) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        require_given("notice", notice);
        *notice = nullptr;
        require_given("table", table);
        const std::lock_guard lock(table->opening);
        *notice = opened_device(*table, device).notice.c_str();
    });
}

fdk_status fdk_uniform_codebook(int32_t bits, fdk_type type, void* codebook) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        require_given("codebook", codebook);
        require(bits == 8 || bits == 4 || bits == 2 || bits == 1,
                fmt::format("there is no codebook of {} bits: 8, 4, 2 or 1", bits));
        const auto values = uniform_codebook(bits, element_type(type));
        std::memcpy(codebook, values.data(), values.size() * sizeof values.front());
    });
}

fdk_status fdk_operand_bytes(const fdk_format* format, size_t* weight_data, size_t* scale) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        require_given("weight_data", weight_data);
        require_given("scale", scale);
        *weight_data = *scale = 0;
        const Problem problem = problem_of(format);
        const OperandBytes bytes = operand_bytes(problem, layout_of(*format));
        *weight_data = static_cast<std::size_t>(bytes.weight_data);
        *scale = static_cast<std::size_t>(bytes.scale);
    });
}

fdk_status fdk_quantise(const fdk_format* format,
                        const void* weights,
                        fdk_type weights_type,
                        const void* codebook,
                        uint8_t* weight_data,
                        void* scale) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        const Problem problem = quantisable(format, weights, weights_type, weight_data, scale);
        const Layout layout = layout_of(*format);
        const auto values = codebook_of(codebook, problem.format.bits, problem.type);
        const QuantisedMatrix matrix = quantise(rounded(problem, weights, weights_type),
                                                problem.shape,
                                                problem.format,
                                                problem.type,
                                                values,
                                                hardware_threads());
        const auto write = [&](const auto& written) {
            std::memcpy(weight_data, written.weight_data.data(), written.weight_data.size());
            std::memcpy(scale, written.scale.data(), written.scale.size() * sizeof(std::uint16_t));
        };
        if (layout == Layout::kCanonical) {
            write(matrix);
        } else {
            write(to_fragments(matrix, problem.shape, problem.format, hardware_threads()));
        }
    });
}

fdk_status fdk_quantise_on(const char* device,
                           void* stream,
                           const fdk_format* format,
                           const void* weights,
                           fdk_type weights_type,
                           const void* codebook,
                           uint8_t* weight_data,
                           void* scale) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        const Problem problem = quantisable(format, weights, weights_type, weight_data, scale);
        const auto values = codebook_of(codebook, problem.format.bits, problem.type);
        require_aligned("weights", weights, weights_type == FDK_FP32 ? 4 : 2);
        require_aligned("weight_data", weight_data, format->layout == FDK_FRAGMENT ? 16 : 1);
        require_aligned("scale", scale, 2);
        const Quantiser::Operands operands{.weights = weights,
                                           .weights_type = tensor_type(weights_type),
                                           .layout = layout_of(*format),
                                           .weight_data = weight_data,
                                           .scale = static_cast<std::uint16_t*>(scale)};
        with_quantiser(device == nullptr ? "cuda:0" : device, [&](Quantiser& quantiser) {
            if (const auto bad = quantiser.quantise(stream, operands, problem, values)) {
                refuse_weight(problem, static_cast<std::int64_t>(bad->index), bad->value);
            }
        });
    });
}

fdk_status fdk_matrix_create(const fdk_table* table,
                             const fdk_format* format,
                             const void* weight_data,
                             const void* scale,
                             const void* codebook,
                             const char* device,
                             fdk_matrix** matrix) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        require_given("matrix", matrix);
        *matrix = nullptr;
        require_given("table", table);
        const Problem problem = problem_of(format);
        const Layout layout = layout_of(*format);
        const OperandBytes bytes = operand_bytes(problem, layout);
        const auto entries = entries_for(table->table, problem);
        Matrix::Weights given;
        if (layout == Layout::kCanonical) {
            given = given_matrix<QuantisedMatrix>(problem, bytes, weight_data, scale, codebook);
        } else {
            given = given_matrix<FragmentMatrix>(problem, bytes, weight_data, scale, codebook);
        }
        const std::lock_guard lock(table->opening);
        const auto& opened = opened_device(*table, device);
        *matrix = new fdk_matrix{Matrix(opened.device, table->table, entries, given)};
    });
}

void fdk_matrix_free(fdk_matrix* matrix) {
    delete matrix;
}

fdk_status fdk_matrix_m(const fdk_matrix* matrix, const int64_t** m, size_t* count) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        require_given("matrix", matrix);
        require_given("m", m);
        require_given("count", count);
        *m = matrix->matrix.m().data();
        *count = matrix->matrix.m().size();
    });
}

fdk_status fdk_matmul(fdk_matrix* matrix, void* stream, const void* x, int64_t m, void* y) {
    return guarded(FDK_INVALID_ARGUMENT, [&] {
        if (matrix == nullptr) {
            throw StatusError(FDK_INVALID_ARGUMENT, "matrix is null");
        }
        matrix->matrix.multiply(stream, x, m, y);
    });
}
