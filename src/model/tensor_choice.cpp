#include "src/model/tensor_choice.hpp"

#include "src/core/error.hpp"
#include "src/core/safetensors_header.hpp"
#include "src/core/tensor_values.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

constexpr std::string_view kSuffix = ".weight";
/// std::regex_search needs stack for every character.
constexpr std::size_t kLongestName = 2000;

std::optional<std::regex> expression(const char* option, const std::string& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    try {
        return std::regex(text);
    } catch (const std::regex_error& error) {
        throw UsageError(fmt::format(
            "{0} '{1}' is no regular expression ({2}): write for example {0} 'mlp|attn'",
            option,
            text,
            error.what()));
    }
}

bool is_whole_groups(std::int64_t k, int bits, std::int64_t group_size) {
    return group_size == 0 ? k % (8 / bits) == 0 : k % group_size == 0;
}

}  // namespace

std::optional<std::string> weight_owner(const std::string& tensor) {
    if (tensor.size() <= kSuffix.size() || !tensor.ends_with(kSuffix)) {
        return std::nullopt;
    }
    return tensor.substr(0, tensor.size() - kSuffix.size());
}

TensorChoice::TensorChoice(const std::string& tensors, const std::string& skip)
    : tensors_(expression("--tensors", tensors)), skip_(expression("--skip", skip)) {}

TensorFate TensorChoice::fate(const Tensor& tensor, int bits, std::int64_t group_size) const {
    const std::optional<std::string> owner = weight_owner(tensor.name);
    if (!owner || tensor.shape.size() != 2 || !holds_values(tensor.type) || tensor.bytes.empty()) {
        return TensorFate::kOther;
    }
    if (tensor.name.size() > kLongestName) {
        throw UsageError(fmt::format("the name of tensor {} has {} bytes, but at most {} are taken",
                                     safetensors::shown(tensor.name),
                                     tensor.name.size(),
                                     kLongestName));
    }
    const auto matches = [&](const std::regex& regex) {
        return std::regex_search(tensor.name, regex) || std::regex_search(*owner, regex);
    };
    if (tensors_ && !matches(*tensors_)) {
        return TensorFate::kNotChosen;
    }
    if (skip_ && matches(*skip_)) {
        return TensorFate::kSkipped;
    }
    return is_whole_groups(tensor.shape[1], bits, group_size) ? TensorFate::kQuantised
                                                              : TensorFate::kOddGroups;
}

}  // namespace fdkbench
