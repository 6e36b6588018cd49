#pragma once

#include "src/core/accuracy.hpp"
#include "src/core/problem.hpp"
#include "src/core/safetensors.hpp"
#include "src/model/codebook.hpp"
#include "src/model/safetensors_writer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace fdkbench {

/// A tensor NAME.weight [n,k] and what it becomes: three tensors NAME.weight_data, NAME.scale and
/// NAME.codebook.
///
///     canonical  weight_data U8 [n, k·bits/8], scale [n, groups]
///     fragment   weight_data U8 [⌈n/16⌉, ⌈k·bits/256⌉, 512], scale [⌈n/16⌉, ⌈groups/4⌉, 8, 4, 2]
///
/// with groups = k/group_size. Scales and the codebook [2^bits] are BF16 or F16, as `type` says.
struct QuantisedTensor {
    std::string name;  ///< NAME
    std::int64_t n = 0;
    std::int64_t k = 0;
    WeightFormat format;
    ElementType type = ElementType::kBf16;
    Layout layout = Layout::kCanonical;
};

/// The tensors that a quantised tensor consists of, by their place in parts_of().
enum class QuantisedPart : std::size_t { kWeightData, kScale, kCodebook };

std::array<TensorSpec, 3> parts_of(const QuantisedTensor& tensor);

/// What a program needs to know besides the parts, as JSON:
/// {"n":64,"k":256,"bits":4,"group_size":64,"type":"bf16","layout":"canonical"}.
std::string description_of(const QuantisedTensor& tensor);

/// Takes the parts piece by piece, each part in order.
using PieceSink = std::function<void(QuantisedPart part, std::span<const std::byte> piece)>;

/// Told how many more bytes of a tensor are done; what it throws ends the work.
using Advance = std::function<void(std::uint64_t bytes)>;

/// Quantises the values of `weight`, which holds them as value_at() reads them, some rows at a
/// time; they are rounded to the element type before. Gives the squares of what the dequantised
/// weights differ from the values. Throws UsageError for a value that is not finite in the element
/// type.
SquareSums quantise_tensor(const Tensor& weight,
                           const QuantisedTensor& tensor,
                           const CodebookSource& source,
                           const PieceSink& sink,
                           const Advance& advance);

}  // namespace fdkbench
