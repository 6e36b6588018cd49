#include "src/model/safetensors_writer.hpp"

#include "src/core/error.hpp"
#include "src/core/json.hpp"
#include "src/core/safetensors_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace fdkbench {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;

/// The tensors' places in the order of their data.
std::vector<std::size_t> widest_first(std::span<const TensorSpec> tensors) {
    std::vector<std::size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(
        order, std::ranges::greater(), [&](std::size_t i) { return bits_of(tensors[i].type); });
    return order;
}

}  // namespace

SafetensorsWriter::Layout::Layout(std::span<const TensorSpec> tensors,
                                  const std::map<std::string, std::string>& metadata)
    : begins(tensors.size()) {
    // Json appends a member in constant time only if it need not look for its name.
    Json::object_t members;
    if (!metadata.empty()) {
        members.emplace_back("__metadata__", Json(metadata));
    }
    std::uint64_t end = 0;
    for (const std::size_t i : widest_first(tensors)) {
        const TensorSpec& tensor = tensors[i];
        begins[i] = end;
        end += tensor.bytes;
        members.emplace_back(tensor.name,
                             Json{{"dtype", to_string(tensor.type)},
                                  {"shape", tensor.shape},
                                  {"data_offsets", {begins[i], end}}});
    }
    std::string text = Json(std::move(members)).dump();
    text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
    if (text.size() > safetensors::kMaxHeaderBytes) {
        throw UsageError(
            fmt::format("the header of the output would have {} bytes, but at most {} are allowed: "
                        "quantise fewer tensors with --tensors",
                        text.size(),
                        safetensors::kMaxHeaderBytes));
    }
    const std::uint64_t length = text.size();
    header.resize(kLengthBytes);
    std::memcpy(header.data(), &length, kLengthBytes);
    header += text;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        begins[i] += header.size();
        sizes.push_back(tensors[i].bytes);
    }
    file_bytes = header.size() + end;
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     std::span<const TensorSpec> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : layout_(tensors, metadata),
      file_(path, layout_.file_bytes),
      missing_(layout_.file_bytes - layout_.header.size()) {
    file_.write(0, std::as_bytes(std::span(layout_.header)));
}

void SafetensorsWriter::write(std::size_t tensor,
                              std::uint64_t offset,
                              std::span<const std::byte> bytes) {
    const std::uint64_t size = layout_.sizes.at(tensor);
    if (offset > size || bytes.size() > size - offset || bytes.size() > missing_) {
        throw std::logic_error("a piece is not within its tensor");
    }
    file_.write(layout_.begins[tensor] + offset, bytes);
    missing_ -= bytes.size();
}

void SafetensorsWriter::finish() {
    if (missing_ != 0) {
        throw std::logic_error(fmt::format("{} bytes of the output were not written", missing_));
    }
    file_.finish();
}

}  // namespace fdkbench
