#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

namespace fdkbench {

/// "1 cell", "2 cells", "0 cells"; `several` where an s does not do: "3 processes".
template <std::integral Count>
std::string counted(Count count, std::string_view one, std::string_view several = "") {
    if (count == 1) {
        return fmt::format("1 {}", one);
    }
    return several.empty() ? fmt::format("{} {}s", count, one)
                           : fmt::format("{} {}", count, several);
}

}  // namespace fdkbench
