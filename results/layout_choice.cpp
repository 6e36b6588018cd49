#include "results/layout_choice.hpp"

#include "results/intervals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace fdkbench {

namespace {

/// Smaller differences are not worth a word.
constexpr double kWorthAWord = 1.03;

struct Served {
    double ratio = 0;
    bool predicted = false;
};

/// What the layout's entries, with their intervals, give where one of another layout was measured:
/// the ratio that was measured there, too, else one predicted; nothing where they do not serve m.
std::optional<Served> served_at(const LayoutWinners& winners, const TableEntry& measured) {
    const std::int64_t m = measured.problem.shape.m;
    const auto entry = std::ranges::find_if(
        winners, [m](const TableEntry& candidate) { return candidate.serves(m); });
    if (entry == winners.end()) {
        return std::nullopt;
    }
    return Served{.ratio = entry->problem.shape.m == m
                               ? entry->ratio
                               : measured.ratio * measured.time_us / predicted_us(*entry, m),
                  .predicted = entry->problem.shape.m != m};
}

/// Of all m that were measured in some layout: how many a layout serves, and the logarithm of the
/// geometric mean of its ratios there.
using Worth = std::pair<int, double>;

Worth worth(const LayoutWinners& winners, const std::vector<LayoutWinners>& all) {
    std::map<std::int64_t, double> ratios;
    for (const LayoutWinners& others : all) {
        for (const TableEntry& measured : others) {
            if (const auto served = served_at(winners, measured)) {
                ratios[measured.problem.shape.m] = served->ratio;
            }
        }
    }
    double sum = 0;
    for (const auto& [m, ratio] : ratios) {
        sum += std::log(ratio);
    }
    const auto served = static_cast<int>(ratios.size());
    return {served, served == 0 ? 0 : sum / served};
}

/// What an m loses when its kernel in another layout is not in the table; nothing when that is
/// not much.
std::string cost(const TableEntry& other, const LayoutWinners& chosen, bool serves_less) {
    const std::optional<Served> kept = served_at(chosen, other);
    const Layout layout = chosen.front().layout;
    if (!kept) {
        return fmt::format("{}: left out: only layout {} has a kernel, and the table has {}",
                           to_string(other.problem),
                           to_string(other.layout),
                           to_string(layout));
    }
    if (other.ratio <= kWorthAWord * kept->ratio) {
        return {};
    }
    return fmt::format(
        "{}: layout {} is {:.1f} % faster here (ratio {:.3f}, in the table {}{:.3f}), "
        "but {} {}",
        to_string(other.problem),
        to_string(other.layout),
        100 * (other.ratio / kept->ratio - 1),
        other.ratio,
        kept->predicted ? "a predicted " : "",
        kept->ratio,
        to_string(layout),
        serves_less ? "has kernels for more m" : "is better for all m together");
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

LayoutChoice choose_layout(std::vector<LayoutWinners> layouts) {
    std::ranges::for_each(layouts, set_intervals);
    std::vector<Worth> worths;
    for (const LayoutWinners& winners : layouts) {
        worths.push_back(worth(winners, layouts));
    }
    const auto best = std::ranges::max_element(worths);
    const LayoutWinners& chosen = layouts[static_cast<std::size_t>(best - worths.begin())];
    LayoutChoice choice{.entries = chosen, .costs = {}};
    for (std::size_t i = 0; i < layouts.size(); ++i) {
        const bool serves_less = worths[i].first < best->first;
        for (const TableEntry& other : layouts[i]) {
            if (std::string text = cost(other, chosen, serves_less); !text.empty()) {
                choice.costs.push_back(std::move(text));
            }
        }
    }
    return choice;
}

}  // namespace fdkbench
