#include "src/core/params.hpp"

#include <fmt/format.h>

#include <cctype>
#include <stdexcept>

namespace fdkbench {
namespace {

/// As it may stand in a preprocessor name.
std::string macro_case(std::string_view text) {
    std::string upper(text);
    for (char& c : upper) {
        const auto byte = static_cast<unsigned char>(c);
        c = std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
    }
    return upper;
}

const ParamValue* find(const Params& params, std::string_view name) {
    for (const auto& [item_name, value] : params.items()) {
        if (item_name == name) {
            return &value;
        }
    }
    return nullptr;
}

template <typename T>
const T& value_as(const Params& params, std::string_view name, std::string_view what) {
    const ParamValue* value = find(params, name);
    const T* typed = value == nullptr ? nullptr : std::get_if<T>(value);
    if (typed == nullptr) {
        throw std::out_of_range(fmt::format(
            "no {} called '{}' among the parameters {}", what, name, to_string(params)));
    }
    return *typed;
}

}  // namespace

std::string to_string(const ParamValue& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    return number != nullptr ? std::to_string(*number) : std::get<std::string>(value);
}

void Params::set(std::string name, ParamValue value) {
    for (auto& item : items_) {
        if (item.first == name) {
            item.second = std::move(value);
            return;
        }
    }
    items_.emplace_back(std::move(name), std::move(value));
}

std::int64_t Params::number(std::string_view name) const {
    return value_as<std::int64_t>(*this, name, "number");
}

const std::string& Params::word(std::string_view name) const {
    return value_as<std::string>(*this, name, "word");
}

std::string to_string(const Params& params) {
    std::string text;
    for (const auto& [name, value] : params.items()) {
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, to_string(value));
    }
    return text;
}

std::vector<std::string> defines(const Params& params) {
    std::vector<std::string> options;
    for (const auto& [name, value] : params.items()) {
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            options.push_back(fmt::format("-DFDK_{}={}", macro_case(name), *number));
        } else {
            options.push_back(fmt::format(
                "-DFDK_{}_{}=1", macro_case(name), macro_case(std::get<std::string>(value))));
        }
    }
    return options;
}

}  // namespace fdkbench
