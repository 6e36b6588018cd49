#pragma once

#include "src/core/half.hpp"
#include "src/core/safetensors.hpp"

#include <cstring>

namespace fdkbench {

/// Whether value_at() can read tensors of this type: BF16, F16 and F32.
constexpr bool holds_values(TensorType type) {
    return type == TensorType::kBf16 || type == TensorType::kF16 || type == TensorType::kF32;
}

/// Element `index` of a tensor whose type holds_values(), exactly.
inline float value_at(const Tensor& tensor, std::size_t index) {
    if (tensor.type == TensorType::kF32) {
        float value = 0;
        std::memcpy(&value, tensor.bytes.data() + index * sizeof value, sizeof value);
        return value;
    }
    std::uint16_t bits = 0;
    std::memcpy(&bits, tensor.bytes.data() + index * sizeof bits, sizeof bits);
    return from_bits16(bits,
                       tensor.type == TensorType::kF16 ? ElementType::kFp16 : ElementType::kBf16);
}

}  // namespace fdkbench
