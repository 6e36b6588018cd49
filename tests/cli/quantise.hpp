#pragma once

#include "tests/safetensors.hpp"
#include "tests/temporary.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

/// Models for the tests of `fdkbench quantise`.
namespace fdkbench::test {

inline TensorText waves(const std::string& name, std::size_t n, std::size_t k) {
    std::vector<float> values;
    for (std::size_t i = 0; i < n * k; ++i) {
        values.push_back(std::sin(static_cast<float>(i * i % 1009)));
    }
    return shaped(bits16_tensor(name, values, ElementType::kBf16),
                  "[" + std::to_string(n) + "," + std::to_string(k) + "]");
}

/// Two weights, and one tensor for every reason why one is copied.
inline std::vector<TensorText> small_model() {
    return {waves("layers.0.up.weight", 24, 128),
            waves("layers.0.down.weight", 16, 192),
            f32_tensor("layers.0.norm.weight", {1, 2, 3}),
            waves("odd.weight", 4, 96),
            waves("lm_head.weight", 8, 64),
            {"ids", "U8", "[3]", "abc"}};
}

/// The small model in two shards; gives their index.
inline std::string write_shards(const TemporaryFolder& folder) {
    const std::vector<TensorText> model = small_model();
    const std::string metadata = R"({"format":"pt"})";
    write_safetensors(folder / "model-1-of-2.safetensors", {model[0], model[2]}, metadata);
    write_safetensors(
        folder / "model-2-of-2.safetensors", {model[1], model[3], model[4], model[5]}, metadata);
    std::ofstream(folder / "model.safetensors.index.json")
        << R"({"metadata":{"total_size":1},"weight_map":{)"
        << R"("layers.0.up.weight":"model-1-of-2.safetensors",)"
        << R"("layers.0.norm.weight":"model-1-of-2.safetensors",)"
        << R"("layers.0.down.weight":"model-2-of-2.safetensors",)"
        << R"("odd.weight":"model-2-of-2.safetensors",)"
        << R"("lm_head.weight":"model-2-of-2.safetensors",)"
        << R"("ids":"model-2-of-2.safetensors"}})";
    return folder.path("model.safetensors.index.json");
}

/// A file of one weight [n,8192] of zeros, which needs no room on the disk.
inline void write_zeros(const std::filesystem::path& path, std::size_t n) {
    const std::size_t bytes = n * 8192 * 2;
    const std::string header = R"({"a.weight":{"dtype":"BF16","shape":[)" + std::to_string(n) +
                               R"(,8192],"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
    std::string text(8, '\0');
    text[0] = static_cast<char>(header.size());
    std::ofstream(path, std::ios::binary) << text + header;
    std::filesystem::resize_file(path, text.size() + header.size() + bytes);
}

inline std::set<std::string> files_in(const std::string& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        names.insert(entry.path().filename().string());
    }
    return names;
}

}  // namespace fdkbench::test
