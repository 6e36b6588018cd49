#include "src/model/tensor_quantiser.hpp"

#include "src/core/arithmetic.hpp"
#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/core/fragment_order.cuh"
#include "src/core/json.hpp"
#include "src/core/mapped_file.hpp"
#include "src/core/parallel.hpp"
#include "src/core/quantise.hpp"
#include "src/core/safetensors_header.hpp"
#include "src/core/tensor_values.hpp"
#include "src/model/codebook_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace fdkbench {
namespace {

/// Of a piece, about: enough for all threads, little beside a model.
constexpr std::int64_t kPieceWeights = std::int64_t{1} << 22U;

constexpr std::int64_t kBlockRows = kFragmentRows;
constexpr std::int64_t kBlockBytes = kFragmentBytes;
constexpr std::int64_t kBlockGroups = kFragmentGroups;

/// Of one element.
std::size_t bytes_of(TensorType type) {
    return static_cast<std::size_t>(bits_of(type)) / 8;
}

/// Some rows of a tensor.
struct Rows {
    std::int64_t first = 0;
    std::int64_t count = 0;
};

/// Pieces are whole blocks of the fragment layout; only the last one may end within a block.
std::vector<Rows> pieces_of(const QuantisedTensor& tensor) {
    const std::int64_t blocks = std::max<std::int64_t>(1, kPieceWeights / tensor.k / kBlockRows);
    std::vector<Rows> pieces;
    for (std::int64_t first = 0; first < tensor.n; first += blocks * kBlockRows) {
        pieces.push_back({first, std::min(blocks * kBlockRows, tensor.n - first)});
    }
    return pieces;
}

/// The values of some rows. Kept from piece to piece, as fresh memory costs more than the work on
/// it.
struct Values {
    std::vector<float> exact;
    std::vector<std::uint16_t> rounded;
    std::vector<float> dequantised;
};

[[noreturn]] void refuse(const Tensor& weight, const QuantisedTensor& tensor, std::int64_t index) {
    const float value = value_at(weight, static_cast<std::size_t>(index));
    throw UsageError(fmt::format(
        "tensor {} has the value {} at [{}, {}], which {}: leave the tensor out with --skip{}",
        safetensors::shown(weight.name),
        value,
        index / tensor.k,
        index % tensor.k,
        std::isfinite(value) ? fmt::format("{} cannot hold", to_string(tensor.type))
                             : "cannot be quantised",
        std::isfinite(value) ? ", or choose another --type" : ""));
}

void read_rows(const Tensor& weight,
               const QuantisedTensor& tensor,
               const Rows& rows,
               Values& values) {
    const auto begin = static_cast<std::size_t>(rows.first * tensor.k);
    const auto count = static_cast<std::size_t>(rows.count * tensor.k);
    values.exact.resize(count);
    values.rounded.resize(count);
    parallel_for(count, hardware_threads(), [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
            values.exact[i] = value_at(weight, begin + i);
            values.rounded[i] = to_bits16(values.exact[i], tensor.type);
        }
    });
    const std::size_t width = bytes_of(weight.type);
    release_mapped(weight.bytes.subspan(begin * width, count * width));
    const std::uint16_t infinity = to_bits16(std::numeric_limits<float>::infinity(), tensor.type);
    const auto found = std::ranges::find_if(values.rounded, [&](std::uint16_t bits) {
        return (bits & 0x7fffU) >= infinity;  // NaN comes after infinity
    });
    if (found != values.rounded.end()) {
        refuse(weight, tensor, static_cast<std::int64_t>(begin) + (found - values.rounded.begin()));
    }
}

std::vector<std::uint16_t> rounded(std::span<const float> values, ElementType type) {
    std::vector<std::uint16_t> bits;
    for (const float value : values) {
        bits.push_back(to_bits16(value, type));
    }
    return bits;
}

std::vector<std::uint16_t> fitted_codebook(const Tensor& weight,
                                           const QuantisedTensor& tensor,
                                           const Advance& advance) {
    CodebookFit fit(tensor.format, tensor.type);
    Values values;
    for (const Rows& rows : pieces_of(tensor)) {
        read_rows(weight, tensor, rows, values);
        fit.add(values.rounded, hardware_threads());
        advance(0);
    }
    return fit.codebook();
}

std::vector<std::uint16_t> codebook_for(const Tensor& weight,
                                        const QuantisedTensor& tensor,
                                        const CodebookSource& source,
                                        const Advance& advance) {
    switch (source.kind) {
        case CodebookSource::Kind::kUniform:
            return uniform_codebook(tensor.format.bits, tensor.type);
        case CodebookSource::Kind::kKmeans:
            return fitted_codebook(weight, tensor, advance);
        case CodebookSource::Kind::kGiven:
            break;
    }
    return rounded(source.values, tensor.type);
}

template <typename Matrix>
void hand_over(const Matrix& matrix, const PieceSink& sink) {
    sink(QuantisedPart::kWeightData, std::as_bytes(std::span(matrix.weight_data)));
    sink(QuantisedPart::kScale, std::as_bytes(std::span(matrix.scale)));
}

}  // namespace

std::array<TensorSpec, 3> parts_of(const QuantisedTensor& tensor) {
    const Shape shape{1, tensor.n, tensor.k};
    const WeightFormat& format = tensor.format;
    const std::int64_t groups = tensor.k / format.group_size;
    const std::int64_t row_bytes = tensor.k * format.bits / 8;
    const std::int64_t entries = std::int64_t{1} << static_cast<unsigned>(format.bits);
    const TensorType type =
        tensor.type == ElementType::kFp16 ? TensorType::kF16 : TensorType::kBf16;
    TensorSpec data{tensor.name + ".weight_data", TensorType::kU8, {tensor.n, row_bytes}, 0};
    TensorSpec scale{tensor.name + ".scale", type, {tensor.n, groups}, 0};
    if (tensor.layout == Layout::kFragment) {
        const std::int64_t blocks = ceil_div(tensor.n, kBlockRows);
        data.shape = {blocks, ceil_div(row_bytes * kBlockRows, kBlockBytes), kBlockBytes};
        scale.shape = {blocks, ceil_div(groups, kBlockGroups), kBlockRows / 2, kBlockGroups, 2};
        data.bytes = static_cast<std::uint64_t>(fragment_weight_bytes(shape, format));
        scale.bytes = static_cast<std::uint64_t>(2 * fragment_scales(shape, format));
    } else {
        data.bytes = static_cast<std::uint64_t>(tensor.n * row_bytes);
        scale.bytes = static_cast<std::uint64_t>(2 * tensor.n * groups);
    }
    TensorSpec codebook{
        tensor.name + ".codebook", type, {entries}, static_cast<std::uint64_t>(2 * entries)};
    return {std::move(data), std::move(scale), std::move(codebook)};
}

std::string description_of(const QuantisedTensor& tensor) {
    return to_line({{"n", tensor.n},
                    {"k", tensor.k},
                    {"bits", tensor.format.bits},
                    {"group_size", tensor.format.group_size},
                    {"type", to_string(tensor.type)},
                    {"layout", to_string(tensor.layout)}});
}

SquareSums quantise_tensor(const Tensor& weight,
                           const QuantisedTensor& tensor,
                           const CodebookSource& source,
                           const PieceSink& sink,
                           const Advance& advance) {
    const int threads = hardware_threads();
    const std::vector<std::uint16_t> codebook = codebook_for(weight, tensor, source, advance);
    sink(QuantisedPart::kCodebook, std::as_bytes(std::span(codebook)));
    SquareSums sums;
    Values values;
    for (const Rows& rows : pieces_of(tensor)) {
        const Shape shape{1, rows.count, tensor.k};
        read_rows(weight, tensor, rows, values);
        const QuantisedMatrix matrix =
            quantise(values.rounded, shape, tensor.format, tensor.type, codebook, threads);
        values.dequantised.resize(values.exact.size());
        dequantise(matrix, shape, tensor.format, tensor.type, values.dequantised, threads);
        sums += square_sums(values.dequantised, values.exact);
        if (tensor.layout == Layout::kFragment) {
            hand_over(to_fragments(matrix, shape, tensor.format, threads), sink);
        } else {
            hand_over(matrix, sink);
        }
        advance(values.exact.size() * bytes_of(weight.type));
    }
    return sums;
}

}  // namespace fdkbench
