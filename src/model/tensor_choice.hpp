#pragma once

#include "src/core/safetensors.hpp"

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>

namespace fdkbench {

/// What is not quantised by default: the last layer, which decides among tens of thousands of
/// words, and tables that are looked up, not multiplied with.
constexpr std::string_view kDefaultSkip = "lm_head|embed|(^|\\.)(wte|wpe|shared)$";

/// What becomes of a tensor.
enum class TensorFate {
    kQuantised,
    kOther,      ///< not a 2-d tensor NAME.weight of BF16, F16 or F32 values
    kNotChosen,  ///< --tensors does not match
    kSkipped,    ///< --skip matches
    kOddGroups,  ///< its rows are not whole groups
};

/// The NAME of NAME.weight; nothing for another name.
std::optional<std::string> weight_owner(const std::string& tensor);

/// Which tensors are quantised. Regular expressions are searched for in the name of a tensor, with
/// and without its ".weight".
class TensorChoice {
  public:
    /// `tensors` empty: all; `skip` empty: none. Throws UsageError for what is no regular
    /// expression.
    TensorChoice(const std::string& tensors, const std::string& skip);

    /// `group_size` 0 stands for one group a row. Throws UsageError for a name that is too long to
    /// be matched.
    [[nodiscard]] TensorFate fate(const Tensor& tensor, int bits, std::int64_t group_size) const;

  private:
    std::optional<std::regex> tensors_;
    std::optional<std::regex> skip_;
};

}  // namespace fdkbench
