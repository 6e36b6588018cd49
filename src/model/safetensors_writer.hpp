#pragma once

#include "src/core/safetensors.hpp"
#include "src/model/partial_file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fdkbench {

/// A tensor to be written.
struct TensorSpec {
    std::string name;
    TensorType type = TensorType::kU8;
    std::vector<std::int64_t> shape;
    std::uint64_t bytes = 0;  ///< that this shape of this type has
};

/// Writes a safetensors file, its tensors in pieces and in any order. The data stand with the
/// widest elements first, so that each tensor is aligned. The file appears with commit(), whole.
/// What fails on the disk throws EnvironmentError naming the file.
class SafetensorsWriter {
  public:
    /// Writes the header. Throws UsageError where it would be longer than the format allows.
    SafetensorsWriter(const std::filesystem::path& path,
                      std::span<const TensorSpec> tensors,
                      const std::map<std::string, std::string>& metadata);

    /// A piece of the tensor at this place among those of the constructor, `offset` bytes after its
    /// begin. Throws std::logic_error for a piece that is not within the tensor.
    void write(std::size_t tensor, std::uint64_t offset, std::span<const std::byte> bytes);
    /// Throws std::logic_error unless as many bytes were written as there are.
    void finish();
    void commit() { file_.commit(); }

    /// Of the whole file.
    [[nodiscard]] std::uint64_t bytes() const { return layout_.file_bytes; }

  private:
    /// Where everything stands.
    struct Layout {
        std::string header;                 // with the length in front
        std::vector<std::uint64_t> begins;  // in the file, of each tensor
        std::vector<std::uint64_t> sizes;
        std::uint64_t file_bytes = 0;

        Layout(std::span<const TensorSpec> tensors,
               const std::map<std::string, std::string>& metadata);
    };

    Layout layout_;
    PartialFile file_;
    std::uint64_t missing_;  // bytes that are not written yet
};

}  // namespace fdkbench
