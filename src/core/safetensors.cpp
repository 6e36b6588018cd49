#include "src/core/safetensors.hpp"

#include "src/core/error.hpp"
#include "src/core/mapped_file.hpp"
#include "src/core/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace fdkbench {
namespace {

using safetensors::Fault;
using safetensors::Header;
using safetensors::kMaxHeaderBytes;
using safetensors::shown;

static_assert(std::endian::native == std::endian::little, "tensors are read as they are stored");

constexpr std::size_t kLengthBytes = 8;
constexpr std::string_view kMetadata = "__metadata__";

struct TypeFacts {
    TensorType type;
    std::string_view name;
    int bits;
};
constexpr std::array kTypes{
    TypeFacts{TensorType::kBool, "BOOL", 8},
    TypeFacts{TensorType::kF4, "F4", 4},
    TypeFacts{TensorType::kF6E2M3, "F6_E2M3", 6},
    TypeFacts{TensorType::kF6E3M2, "F6_E3M2", 6},
    TypeFacts{TensorType::kU8, "U8", 8},
    TypeFacts{TensorType::kI8, "I8", 8},
    TypeFacts{TensorType::kF8E5M2, "F8_E5M2", 8},
    TypeFacts{TensorType::kF8E4M3, "F8_E4M3", 8},
    TypeFacts{TensorType::kF8E5M2Fnuz, "F8_E5M2FNUZ", 8},
    TypeFacts{TensorType::kF8E4M3Fnuz, "F8_E4M3FNUZ", 8},
    TypeFacts{TensorType::kF8E8M0, "F8_E8M0", 8},
    TypeFacts{TensorType::kI16, "I16", 16},
    TypeFacts{TensorType::kU16, "U16", 16},
    TypeFacts{TensorType::kF16, "F16", 16},
    TypeFacts{TensorType::kBf16, "BF16", 16},
    TypeFacts{TensorType::kI32, "I32", 32},
    TypeFacts{TensorType::kU32, "U32", 32},
    TypeFacts{TensorType::kF32, "F32", 32},
    TypeFacts{TensorType::kC64, "C64", 64},
    TypeFacts{TensorType::kF64, "F64", 64},
    TypeFacts{TensorType::kI64, "I64", 64},
    TypeFacts{TensorType::kU64, "U64", 64},
};

const TypeFacts& facts(TensorType type) {
    return *std::ranges::find(kTypes, type, &TypeFacts::type);
}

std::string shown(std::span<const std::uint64_t> numbers) {
    constexpr std::size_t kShown = 8;
    return numbers.size() <= kShown
               ? fmt::format("[{}]", fmt::join(numbers, ", "))
               : fmt::format("[{}, …]", fmt::join(numbers.first(kShown), ", "));
}

std::string listed(const std::vector<Tensor>& tensors) {
    constexpr std::size_t kListed = 20;
    std::vector<std::string> names;
    for (const Tensor& tensor : tensors) {
        if (names.size() == kListed) {
            names.push_back(fmt::format("… ({} in all)", tensors.size()));
            break;
        }
        names.push_back(shown(tensor.name));
    }
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

const Header& member(const Header& entry, const char* name) {
    const auto found = entry.find(name);
    if (found == entry.end()) {
        throw Fault(fmt::format("there is no '{}'", name));
    }
    return *found;
}

std::vector<std::uint64_t> whole_numbers(const Header& entry, const char* name) {
    std::vector<std::uint64_t> numbers;
    const Header& list = member(entry, name);
    bool good = list.is_array();
    for (const Header& number : list) {
        good = good && number.is_number_unsigned();
        numbers.push_back(good ? number.get<std::uint64_t>() : 0);
    }
    if (!good) {
        throw Fault(fmt::format("'{}' is not a list of whole numbers", name));
    }
    return numbers;
}

TensorType type_of(const Header& entry) {
    const Header& word = member(entry, "dtype");
    if (!word.is_string()) {
        throw Fault("'dtype' is not a word");
    }
    const auto& name = word.get_ref<const std::string&>();
    const auto* found = std::ranges::find(kTypes, name, &TypeFacts::name);
    if (found == kTypes.end()) {
        std::vector<std::string_view> known;
        std::ranges::transform(kTypes, std::back_inserter(known), &TypeFacts::name);
        throw Fault(fmt::format("dtype {} is none of {}", shown(name), fmt::join(known, ", ")));
    }
    return found->type;
}

/// Bytes of a tensor of this shape.
std::uint64_t byte_count(TensorType type, std::span<const std::uint64_t> shape) {
    std::uint64_t bits = static_cast<std::uint64_t>(bits_of(type));
    for (const std::uint64_t extent : shape) {
        if (!std::in_range<std::int64_t>(extent) || __builtin_mul_overflow(bits, extent, &bits)) {
            throw Fault(fmt::format("shape {} is too large", shown(shape)));
        }
    }
    if (bits % 8 != 0) {
        throw Fault(
            fmt::format("shape {} of {} makes no whole bytes", shown(shape), to_string(type)));
    }
    return bits / 8;
}

Tensor read_entry(const std::string& name, const Header& entry, std::span<const std::byte> data) {
    if (!entry.is_object()) {
        throw Fault("its entry is not a JSON object");
    }
    Tensor tensor;
    tensor.name = name;
    tensor.type = type_of(entry);
    const std::vector<std::uint64_t> shape = whole_numbers(entry, "shape");
    const std::uint64_t bytes = byte_count(tensor.type, shape);
    tensor.shape.assign(shape.begin(), shape.end());

    const std::vector<std::uint64_t> offsets = whole_numbers(entry, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size()) {
        throw Fault(fmt::format("data_offsets {} are not a begin and an end in {} bytes of data",
                                shown(offsets),
                                data.size()));
    }
    if (offsets[1] - offsets[0] != bytes) {
        throw Fault(fmt::format("data_offsets {} hold {} bytes, but shape {} of {} needs {}",
                                shown(offsets),
                                offsets[1] - offsets[0],
                                shown(shape),
                                to_string(tensor.type),
                                bytes));
    }
    tensor.bytes = data.subspan(offsets[0], bytes);
    return tensor;
}

std::map<std::string, std::string> read_metadata(const Header& metadata) {
    const bool good =
        metadata.is_object() &&
        std::ranges::all_of(metadata, [](const Header& value) { return value.is_string(); });
    if (!good) {
        throw Fault(fmt::format("{} is not an object of texts", kMetadata));
    }
    return metadata.get<std::map<std::string, std::string>>();
}

/// Every byte of the data belongs to exactly one tensor.
void check_coverage(const std::vector<Tensor>& tensors, std::span<const std::byte> data) {
    std::size_t end = 0;
    for (const Tensor& tensor : tensors) {
        const auto begin = static_cast<std::size_t>(tensor.bytes.data() - data.data());
        if (begin != end) {
            throw Fault(fmt::format(
                "tensor {}: its data begin at byte {}, but the tensors before it end at byte {}",
                shown(tensor.name),
                begin,
                end));
        }
        end += tensor.bytes.size();
    }
    if (end != data.size()) {
        throw Fault(fmt::format("its last {} bytes belong to no tensor", data.size() - end));
    }
}

/// What a file holds.
struct Content {
    std::vector<Tensor> tensors;
    std::map<std::string, std::string> metadata;
};

Content read_content(std::span<const std::byte> file) {
    std::uint64_t header_bytes = 0;
    if (file.size() < kLengthBytes) {
        throw Fault(fmt::format("it has {} bytes, too few for a header", file.size()));
    }
    std::memcpy(&header_bytes, file.data(), kLengthBytes);
    const std::span<const std::byte> rest = file.subspan(kLengthBytes);
    if (header_bytes > kMaxHeaderBytes || header_bytes > rest.size()) {
        throw Fault(fmt::format("its header should have {} bytes, but {}",
                                header_bytes,
                                header_bytes > kMaxHeaderBytes
                                    ? fmt::format("at most {} are allowed", kMaxHeaderBytes)
                                    : fmt::format("the file ends after {}", rest.size())));
    }
    const Header header = safetensors::parse_header(
        {reinterpret_cast<const char*>(rest.data()), static_cast<std::size_t>(header_bytes)});
    const std::span<const std::byte> data = rest.subspan(header_bytes);
    Content content;
    for (const auto& [name, entry] : header.items()) {
        if (name == kMetadata) {
            content.metadata = read_metadata(entry);
            continue;
        }
        try {
            content.tensors.push_back(read_entry(name, entry, data));
        } catch (const Fault& fault) {
            throw Fault(fmt::format("tensor {}: {}", shown(name), fault.what()));
        }
    }
    // Where an empty tensor and another begin at the same byte, the empty one comes first.
    std::ranges::stable_sort(content.tensors, {}, [](const Tensor& tensor) {
        return std::pair(tensor.bytes.data(), tensor.bytes.size());
    });
    check_coverage(content.tensors, data);
    return content;
}

}  // namespace

std::string_view to_string(TensorType type) {
    return facts(type).name;
}

int bits_of(TensorType type) {
    return facts(type).bits;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path) {
    MappedFile mapped = map_file(path, "safetensors file");
    mapping_ = std::move(mapped.memory);
    try {
        Content content = read_content(mapped.bytes);
        tensors_ = std::move(content.tensors);
        metadata_ = std::move(content.metadata);
    } catch (const Fault& fault) {
        throw UsageError(fmt::format(
            "{} is not a sound safetensors file: {}: give another file, or write it again",
            path.string(),
            fault.what()));
    }
}

const Tensor& SafetensorsFile::tensor(std::string_view name) const {
    const auto found = std::ranges::find(tensors_, name, &Tensor::name);
    if (found == tensors_.end()) {
        throw UsageError(fmt::format(
            "{} holds no tensor {}: it holds {}", path_.string(), shown(name), listed(tensors_)));
    }
    return *found;
}

}  // namespace fdkbench
