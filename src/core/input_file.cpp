#include "src/core/input_file.hpp"

#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "src/core/hash.hpp"
#include "src/core/tensor_values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {
namespace {

constexpr std::size_t kDigits = 12;

/// The tensor, which must have values.
const Tensor* checked(const Tensor& tensor, const std::filesystem::path& path) {
    if (!holds_values(tensor.type) || tensor.bytes.empty()) {
        throw UsageError(
            fmt::format("{}: the tensor '{}' is {} with {} bytes: give BF16, F16 or F32 values",
                        path.string(),
                        tensor.name,
                        to_string(tensor.type),
                        tensor.bytes.size()));
    }
    return &tensor;
}

const Tensor* find(const SafetensorsFile& file,
                   const std::filesystem::path& path,
                   const char* name) {
    const auto found = std::ranges::find(file.tensors(), name, &Tensor::name);
    return found == file.tensors().end() ? nullptr : checked(*found, path);
}

Uninitialised<std::uint16_t> repeated(const Tensor& tensor, std::size_t count, ElementType type) {
    const std::size_t size =
        tensor.bytes.size() * 8 / static_cast<std::size_t>(bits_of(tensor.type));
    Uninitialised<std::uint16_t> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = i < size ? to_bits16(value_at(tensor, i), type) : values[i - size];
    }
    return values;
}

}  // namespace

InputSource input_source(const std::string& text) {
    std::error_code ignored;
    if (std::filesystem::exists(text, ignored)) {
        return {text, ""};
    }
    // A file's name may hold a colon, and so may a tensor's.
    for (auto colon = text.find(':'); colon != text.npos; colon = text.find(':', colon + 1)) {
        if (std::filesystem::is_regular_file(text.substr(0, colon), ignored)) {
            return {text.substr(0, colon), text.substr(colon + 1)};
        }
    }
    return {text, ""};
}

InputFile::InputFile(const std::string& source) : InputFile(input_source(source)) {}

InputFile::InputFile(const InputSource& source) : file_(source.file) {
    if (!source.tensor.empty()) {
        weight_ = checked(file_.tensor(source.tensor), source.file);
        return;
    }
    weight_ = find(file_, source.file, "weight");
    x_ = find(file_, source.file, "x");
    if (weight_ == nullptr) {
        throw UsageError(
            fmt::format("{} has no tensor 'weight': --inputs takes the weights from there, and "
                        "activations from 'x' if it is there; --weights FILE:TENSOR takes another",
                        source.file.string()));
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

Uninitialised<std::uint16_t> InputFile::weights(std::size_t count, ElementType type) const {
    return repeated(*weight_, count, type);
}

Uninitialised<std::uint16_t> InputFile::activations(std::size_t count, ElementType type) const {
    return repeated(*x_, count, type);
}

}  // namespace fdkbench
