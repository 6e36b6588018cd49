#pragma once

#include "src/core/half.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fdkbench {

/// A tensor as it stands in a safetensors file.
struct TensorText {
    std::string name;
    std::string type;   ///< "F32"
    std::string shape;  ///< "[2,3]"
    std::string bytes;
};

inline TensorText f32_tensor(const std::string& name, const std::vector<float>& values) {
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return {name, "F32", "[" + std::to_string(values.size()) + "]", bytes};
}

inline TensorText bits16_tensor(const std::string& name,
                                const std::vector<float>& values,
                                ElementType type) {
    std::string bytes;
    for (const float value : values) {
        const std::uint16_t bits = to_bits16(value, type);
        bytes += {static_cast<char>(bits & 0xffU), static_cast<char>(bits >> 8U)};
    }
    return {name,
            type == ElementType::kBf16 ? "BF16" : "F16",
            "[" + std::to_string(values.size()) + "]",
            bytes};
}

/// The tensor with another shape ("[2,3]") of as many elements.
inline TensorText shaped(TensorText tensor, const std::string& shape) {
    tensor.shape = shape;
    return tensor;
}

/// The file with these tensors, in this order, and what `metadata` ({"a":"b"}) says.
inline std::string safetensors_text(const std::vector<TensorText>& tensors,
                                    const std::string& metadata = "") {
    std::string header = metadata.empty() ? "{" : "{\"__metadata__\":" + metadata;
    std::string data;
    for (const TensorText& tensor : tensors) {
        header += (header.size() > 1 ? "," : "") + ("\"" + tensor.name + "\":{\"dtype\":\"") +
                  tensor.type + "\",\"shape\":" + tensor.shape + ",\"data_offsets\":[" +
                  std::to_string(data.size()) + "," +
                  std::to_string(data.size() + tensor.bytes.size()) + "]}";
        data += tensor.bytes;
    }
    header += "}";
    std::string text(8, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) {
        text[i] = static_cast<char>((header.size() >> (8 * i)) & 0xffU);
    }
    return text + header + data;
}

inline void write_safetensors(const std::filesystem::path& path,
                              const std::vector<TensorText>& tensors,
                              const std::string& metadata = "") {
    std::ofstream(path, std::ios::binary) << safetensors_text(tensors, metadata);
}

}  // namespace fdkbench
