#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fdkbench {

/// Element types of the safetensors format, under the names that it gives them.
enum class TensorType {
    kBool,
    kF4,
    kF6E2M3,
    kF6E3M2,
    kU8,
    kI8,
    kF8E5M2,
    kF8E4M3,
    kF8E5M2Fnuz,
    kF8E4M3Fnuz,
    kF8E8M0,
    kI16,
    kU16,
    kF16,
    kBf16,
    kI32,
    kU32,
    kF32,
    kC64,
    kF64,
    kI64,
    kU64,
};

/// "BF16".
std::string_view to_string(TensorType type);
/// Of one element; below 8 for packed types.
int bits_of(TensorType type);

/// A tensor of an open SafetensorsFile.
struct Tensor {
    std::string name;
    TensorType type = TensorType::kU8;
    std::vector<std::int64_t> shape;   ///< empty for a scalar
    std::span<const std::byte> bytes;  ///< row-major, little-endian, at any alignment

    /// A copy of the elements; T must be as wide as the type.
    template <typename T>
    [[nodiscard]] std::vector<T> elements() const {
        static_assert(std::is_trivially_copyable_v<T>);
        if (bits_of(type) != static_cast<int>(8 * sizeof(T))) {
            throw std::logic_error("a tensor is read as elements of another width");
        }
        std::vector<T> copy(bytes.size() / sizeof(T));
        if (!copy.empty()) {
            std::memcpy(copy.data(), bytes.data(), bytes.size());
        }
        return copy;
    }
};

/// A safetensors file: 8 bytes that hold the little-endian length of a JSON header, the header, the
/// data. The data stay on disk until they are read; the file must not be shortened meanwhile.
class SafetensorsFile {
  public:
    /// Reads and checks the header. Throws UsageError naming the file, the tensor and the fault for
    /// whatever the format does not allow, gaps between tensors among it.
    explicit SafetensorsFile(const std::filesystem::path& path);

    /// In the order of their data.
    [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
    /// The texts under "__metadata__"; empty without it.
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
    /// Throws UsageError naming the tensors that there are.
    [[nodiscard]] const Tensor& tensor(std::string_view name) const;

  private:
    std::filesystem::path path_;
    std::shared_ptr<const void> mapping_;
    std::vector<Tensor> tensors_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace fdkbench
