#pragma once

#include "src/core/json.hpp"

#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// For the sources that define to_json and from_json. A struct's members are listed once, in a
/// function that both a writer and a strict reader visit it with:
///
///     void members(ConstOr<Ceiling> auto& ceiling, auto& visit) {
///         visit("what", ceiling.what);
///         …
///     }
///
/// Enumerations are written as words, pairs as arrays of two, and an empty std::optional member
/// has no key.
namespace fdkbench {

/// `Self` or `const Self`.
template <typename T, typename Self>
concept ConstOr = std::same_as<std::remove_const_t<T>, Self>;

template <typename T>
concept JsonList = !std::same_as<T, std::string> && requires(T list) {
    list.begin();
};

template <typename T>
concept JsonPair = requires(T pair) {
    pair.first;
    pair.second;
};

std::string_view word_of(CandidateStatus value);
std::string_view word_of(ElementType value);
std::string_view word_of(Layout value);
std::string_view word_of(CachePolicy value);
std::string_view word_of(CodebookValues value);
std::string_view word_of(LaunchMode value);
std::string_view word_of(LaunchStep::Kind value);
std::string_view word_of(TensorMap::Operand value);
void from_word(std::string_view word, CandidateStatus& value);
void from_word(std::string_view word, ElementType& value);
void from_word(std::string_view word, Layout& value);
void from_word(std::string_view word, CachePolicy& value);
void from_word(std::string_view word, CodebookValues& value);
void from_word(std::string_view word, LaunchMode& value);
void from_word(std::string_view word, LaunchStep::Kind& value);
void from_word(std::string_view word, TensorMap::Operand& value);

Json double_json(double value);
double double_from(const Json& json);

template <typename T>
Json value_json(const T& value) {
    if constexpr (std::floating_point<T>) {
        return double_json(value);
    } else if constexpr (std::is_enum_v<T>) {
        return std::string(word_of(value));
    } else if constexpr (JsonPair<T>) {
        return Json::array({value_json(value.first), value_json(value.second)});
    } else if constexpr (JsonList<T>) {
        Json list = Json::array();
        for (const auto& element : value) {
            list.push_back(value_json(element));
        }
        return list;
    } else {
        return value;
    }
}

template <std::integral T>
T integer_from(const Json& json) {
    const bool in_range =
        json.is_number_unsigned()
            ? std::in_range<T>(json.get<std::uint64_t>())
            : json.is_number_integer() && std::in_range<T>(json.get<std::int64_t>());
    if (!in_range) {
        throw std::invalid_argument(json.dump() + " is not an integer in range");
    }
    return json.get<T>();
}

/// A JSON array; of exactly `size` elements unless that is nothing.
const Json& array_from(const Json& json, std::optional<std::size_t> size);

template <typename T>
void read_value(const Json& json, T& value) {
    if constexpr (std::floating_point<T>) {
        value = double_from(json);
    } else if constexpr (std::same_as<T, bool>) {
        value = json.get_ref<const Json::boolean_t&>();
    } else if constexpr (std::integral<T>) {
        value = integer_from<T>(json);
    } else if constexpr (std::is_enum_v<T>) {
        from_word(json.get_ref<const std::string&>(), value);
    } else if constexpr (JsonPair<T>) {
        array_from(json, 2);
        read_value(json[0], value.first);
        read_value(json[1], value.second);
    } else if constexpr (requires { value.resize(0); } && JsonList<T>) {
        value.clear();
        for (const Json& element : array_from(json, std::nullopt)) {
            read_value(element, value.emplace_back());
        }
    } else if constexpr (JsonList<T>) {
        array_from(json, value.size());
        for (std::size_t i = 0; i < value.size(); ++i) {
            read_value(json[i], value[i]);
        }
    } else {
        json.get_to(value);
    }
}

/// Visits members to write them.
class MemberWriter {
  public:
    explicit MemberWriter(Json& json) : json_(json) { json_ = Json::object(); }
    template <typename T>
    void operator()(const char* name, const T& value) {
        json_[name] = value_json(value);
    }
    template <typename T>
    void operator()(const char* name, const std::optional<T>& value) {
        if (value) {
            (*this)(name, *value);
        }
    }
    /// A member without a key while it is T(), as in what was written before there was the member.
    template <typename T>
    void unless_default(const char* name, const T& value) {
        if (value != T()) {
            (*this)(name, value);
        }
    }

  private:
    Json& json_;
};

/// Visits members to read them; finish() then rejects the keys that nobody asked for.
class MemberReader {
  public:
    /// `envelope`: keys that are allowed though they are no members.
    explicit MemberReader(const Json& json, std::initializer_list<std::string_view> envelope = {});
    template <typename T>
    void operator()(const char* name, T& value) {
        read(name, required(name), value);
    }
    template <typename T>
    void operator()(const char* name, std::optional<T>& value) {
        value.reset();
        if (const Json* json = find(name)) {
            read(name, *json, value.emplace());
        }
    }
    template <typename T>
    void unless_default(const char* name, T& value) {
        value = T();
        if (const Json* json = find(name)) {
            read(name, *json, value);
        }
    }
    void finish() const;

  private:
    const Json* find(const char* name);
    const Json& required(const char* name);
    template <typename T>
    void read(const char* name, const Json& json, T& value) {
        try {
            read_value(json, value);
        } catch (const std::exception& error) {
            throw std::invalid_argument(fmt::format("'{}': {}", name, error.what()));
        }
    }

    const Json& json_;
    std::vector<std::string_view> known_;
};

/// Throws std::invalid_argument where a type's members do not go together; types that can be so
/// have a function of their own before FDKBENCH_JSON_MEMBERS.
template <typename Type>
void require_sound(const Type& /*value*/) {}

}  // namespace fdkbench

/// Defines to_json and from_json of a type by its members(). `...`: the reader's envelope.
#define FDKBENCH_JSON_MEMBERS(Type, ...)                      \
    void to_json(Json& json, const Type& value) {             \
        MemberWriter writer(json);                            \
        members(value, writer);                               \
    }                                                         \
    void from_json(const Json& json, Type& value) {           \
        MemberReader reader(json __VA_OPT__(, ) __VA_ARGS__); \
        members(value, reader);                               \
        reader.finish();                                      \
        require_sound(value);                                 \
    }
