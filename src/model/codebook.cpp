#include "src/model/codebook.hpp"

#include "src/core/error.hpp"
#include "src/core/mapped_file.hpp"
#include "src/core/safetensors_header.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string_view>

namespace fdkbench {
namespace {

constexpr std::string_view kBetween = " \t\r\n,";
/// 256 numbers, however they are written.
constexpr std::size_t kMaxBytes = 100'000;

float number_from(std::string_view word) {
    float number = 0;
    const char* end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, number);
    if (error != std::errc() || rest != end || !std::isfinite(number)) {
        throw safetensors::Fault(fmt::format("{} is no number", safetensors::shown(word)));
    }
    return number;
}

std::vector<float> parse_codebook(std::string_view text, std::size_t size) {
    if (text.size() > kMaxBytes) {
        throw safetensors::Fault(fmt::format("it has {} bytes", text.size()));
    }
    std::vector<float> values;
    for (std::size_t begin = text.find_first_not_of(kBetween); begin != text.npos;) {
        const std::size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
        const float value = number_from(text.substr(begin, end - begin));
        if (!values.empty() && value <= values.back()) {
            throw safetensors::Fault(
                fmt::format("{} comes after {}, but they must ascend", value, values.back()));
        }
        values.push_back(value);
        begin = text.find_first_not_of(kBetween, end);
    }
    if (values.size() != size) {
        throw safetensors::Fault(fmt::format("it holds {}", values.size()));
    }
    return values;
}

}  // namespace

std::vector<float> read_codebook(const std::filesystem::path& path, int bits) {
    const MappedFile file = map_file(path, "codebook");
    const std::size_t size = std::size_t{1} << static_cast<unsigned>(bits);
    try {
        return parse_codebook({reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()},
                              size);
    } catch (const safetensors::Fault& fault) {
        throw UsageError(
            fmt::format("--codebook {}: {}: write {} ascending numbers for {} bits, "
                        "with blanks or commas between them",
                        path.string(),
                        fault.what(),
                        size,
                        bits));
    }
}

}  // namespace fdkbench
