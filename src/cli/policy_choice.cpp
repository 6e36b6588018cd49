#include "src/cli/policy_choice.hpp"

#include "results/winners.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fdkbench {

void add_policy_choice(CLI::App& app, std::string& policy) {
    app.add_option("--policy",
                   policy,
                   "Winners measured under this one, as column 'policy' has it, or a part of it  "
                   "[that of the newest run]");
}

std::string policy_note(const Store& store,
                        const std::string& device_key,
                        const std::string& taken,
                        const std::string& asked) {
    std::vector<std::string> others = policies(store, device_key);
    std::erase(others, taken);
    if (!asked.empty() || others.empty()) {
        return "";
    }
    return fmt::format(
        "Measured under {}, the policy of the newest run; --policy takes others: {}\n",
        taken,
        fmt::join(others, ", "));
}

}  // namespace fdkbench
