#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fdkbench {

/// A tunable value: a number, or one of a few names ("prmt").
using ParamValue = std::variant<std::int64_t, std::string>;

std::string to_string(const ParamValue& value);

/// The values chosen for a family's axes, in the axes' order.
class Params {
  public:
    Params() = default;
    explicit Params(std::vector<std::pair<std::string, ParamValue>> items)
        : items_(std::move(items)) {}

    /// Appends, or replaces the value of an existing name.
    void set(std::string name, ParamValue value);
    /// The number called `name`; throws std::out_of_range naming it when absent or not a number.
    [[nodiscard]] std::int64_t number(std::string_view name) const;
    /// The word called `name`; throws std::out_of_range naming it when absent or not a word.
    [[nodiscard]] const std::string& word(std::string_view name) const;
    [[nodiscard]] const std::vector<std::pair<std::string, ParamValue>>& items() const {
        return items_;
    }
    auto operator<=>(const Params&) const = default;

  private:
    std::vector<std::pair<std::string, ParamValue>> items_;
};

/// "warps=4 decode=prmt": for people.
std::string to_string(const Params& params);

/// Compiler options that fix the parameters in a kernel source: a number `warps` = 4 becomes
/// -DFDK_WARPS=4, a word `decode` = "prmt" becomes -DFDK_DECODE_PRMT=1.
std::vector<std::string> defines(const Params& params);

}  // namespace fdkbench
