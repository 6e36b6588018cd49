#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// A tensor of a safetensors file.
struct Tensor {
    std::string dtype;  ///< "BF16", "F32", "F64", "U8"
    std::vector<std::int64_t> shape;
    std::vector<char> bytes;  ///< row-major, little-endian

    /// The elements; throws std::runtime_error when the bytes do not make whole elements.
    template <typename T>
    [[nodiscard]] std::vector<T> as() const {
        std::size_t count = 1;
        for (const std::int64_t extent : shape) {
            count *= static_cast<std::size_t>(extent);
        }
        if (count * sizeof(T) != bytes.size()) {
            throw std::runtime_error("a tensor of " + dtype + " read as another type");
        }
        std::vector<T> elements(count);
        std::memcpy(elements.data(), bytes.data(), bytes.size());
        return elements;
    }
};

/// Reads a whole safetensors file: the length of a JSON header in 8 bytes, the header, the data.
/// Throws std::runtime_error or nlohmann::json::exception when it cannot.
inline std::map<std::string, Tensor> read_safetensors(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::uint64_t header_bytes = 0;
    file.read(reinterpret_cast<char*>(&header_bytes), sizeof header_bytes);
    std::string header(file ? header_bytes : 0, '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    if (!file) {
        throw std::runtime_error("cannot read " + path.string());
    }
    const auto data_start = file.tellg();
    std::map<std::string, Tensor> tensors;
    const auto entries = nlohmann::json::parse(header);
    for (const auto& [name, entry] : entries.items()) {
        if (name == "__metadata__") {
            continue;
        }
        const auto begin = entry.at("data_offsets").at(0).get<std::streamoff>();
        const auto end = entry.at("data_offsets").at(1).get<std::streamoff>();
        Tensor tensor{entry.at("dtype"), entry.at("shape"), std::vector<char>(end - begin)};
        file.seekg(data_start + begin);
        file.read(tensor.bytes.data(), end - begin);
        if (!file) {
            throw std::runtime_error(path.string() + " ends within " + name);
        }
        tensors.emplace(name, std::move(tensor));
    }
    return tensors;
}
