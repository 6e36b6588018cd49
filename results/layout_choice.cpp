#include "results/layout_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace fdkbench {

namespace {

/// Smaller differences are not worth a word.
constexpr double kWorthAWord = 1.03;

/// Number of m, and the logarithm of the geometric mean of their ratios.
std::pair<std::size_t, double> worth(const LayoutWinners& winners) {
    double sum = 0;
    for (const TableEntry& entry : winners) {
        sum += std::log(entry.ratio);
    }
    return {winners.size(), winners.empty() ? 0 : sum / static_cast<double>(winners.size())};
}

const TableEntry* winner_at(const LayoutWinners& winners, std::int64_t m) {
    const auto found = std::ranges::find(
        winners, m, [](const TableEntry& entry) { return entry.problem.shape.m; });
    return found == winners.end() ? nullptr : &*found;
}

/// What an m loses when its kernel in another layout is not in the table; nothing when that is
/// not much.
std::string cost(const TableEntry& other,
                 const LayoutWinners& winners,
                 const LayoutWinners& chosen) {
    const TableEntry* kept = winner_at(chosen, other.problem.shape.m);
    if (kept == nullptr) {
        return fmt::format("{}: left out: only layout {} has a kernel, and the table has {}",
                           to_string(other.problem),
                           to_string(other.layout),
                           to_string(chosen.front().layout));
    }
    if (other.ratio <= kWorthAWord * kept->ratio) {
        return {};
    }
    return fmt::format(
        "{}: layout {} is {:.1f} % faster here (ratio {:.3f}, in the table {:.3f}), "
        "but {} {}",
        to_string(other.problem),
        to_string(other.layout),
        100 * (other.ratio / kept->ratio - 1),
        other.ratio,
        kept->ratio,
        to_string(kept->layout),
        winners.size() < chosen.size() ? "has kernels for more m" : "is better for all m together");
}

}  // namespace

std::map<Problem, std::vector<LayoutWinners>> winners_by_matrix(const Store& store,
                                                                const std::string& device_key,
                                                                const std::string& policy,
                                                                KernelFilter filter) {
    constexpr std::array kLayouts{Layout::kCanonical, Layout::kFragment};
    std::map<Problem, std::vector<LayoutWinners>> matrices;
    for (std::size_t i = 0; i < kLayouts.size(); ++i) {
        filter.layout = kLayouts[i];
        for (TableEntry& added : table_entries(winners(store, device_key, policy, filter))) {
            auto& layouts = matrices[matrix_of(added.problem)];
            layouts.resize(kLayouts.size());
            layouts[i].push_back(std::move(added));
        }
    }
    return matrices;
}

LayoutChoice choose_layout(const std::vector<LayoutWinners>& layouts) {
    const auto chosen = std::ranges::max_element(layouts, {}, worth);
    LayoutChoice choice{.entries = *chosen, .costs = {}};
    for (const LayoutWinners& winners : layouts) {
        for (const TableEntry& other : winners) {
            if (std::string text = cost(other, winners, *chosen); !text.empty()) {
                choice.costs.push_back(std::move(text));
            }
        }
    }
    return choice;
}

}  // namespace fdkbench
