#include "src/core/input_file.hpp"

#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "src/core/hash.hpp"
#include "src/core/tensor_values.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

constexpr std::size_t kDigits = 12;

const Tensor* find(const SafetensorsFile& file,
                   const std::filesystem::path& path,
                   const char* name) {
    for (const Tensor& tensor : file.tensors()) {
        if (tensor.name != name) {
            continue;
        }
        if (!holds_values(tensor.type) || tensor.bytes.empty()) {
            throw UsageError(
                fmt::format("{}: the tensor '{}' is {} with {} bytes: give BF16, F16 or F32 values",
                            path.string(),
                            name,
                            to_string(tensor.type),
                            tensor.bytes.size()));
        }
        return &tensor;
    }
    return nullptr;
}

std::vector<std::uint16_t> repeated(const Tensor& tensor, std::size_t count, ElementType type) {
    const std::size_t size =
        tensor.bytes.size() * 8 / static_cast<std::size_t>(bits_of(tensor.type));
    std::vector<std::uint16_t> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = i < size ? to_bits16(value_at(tensor, i), type) : values[i - size];
    }
    return values;
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path)
    : file_(path), weight_(find(file_, path, "weight")), x_(find(file_, path, "x")) {
    if (weight_ == nullptr) {
        throw UsageError(
            fmt::format("{} has no tensor 'weight': --inputs takes the weights from there, and "
                        "activations from "
                        "'x' if it is there",
                        path.string()));
    }
}

std::string InputFile::name() const {
    std::string digests;
    for (const Tensor* tensor : {weight_, x_}) {
        if (tensor != nullptr) {
            digests += fmt::format("{} {}\n", to_string(tensor->type), sha256(tensor->bytes));
        }
    }
    return "file:" + sha256(digests).substr(0, kDigits);
}

std::vector<std::uint16_t> InputFile::weights(std::size_t count, ElementType type) const {
    return repeated(*weight_, count, type);
}

std::vector<std::uint16_t> InputFile::activations(std::size_t count, ElementType type) const {
    return repeated(*x_, count, type);
}

}  // namespace fdkbench
