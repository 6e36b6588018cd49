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

/// What the layout's entries, with their intervals, give where one of another layout was measured:
/// the ratio that was measured there, too, else one predicted; nothing where they do not serve m.
std::optional<double> ratio_at(const LayoutWinners& winners, const TableEntry& measured) {
    const std::int64_t m = measured.problem.shape.m;
    const auto entry = std::ranges::find_if(winners, [m](const TableEntry& candidate) {
        return candidate.first_m <= m && m <= candidate.last_m.value_or(m);
    });
    if (entry == winners.end()) {
        return std::nullopt;
    }
    return entry->problem.shape.m == m
               ? entry->ratio
               : measured.ratio * measured.time_us / predicted_us(*entry, m);
}

/// Of all m that were measured in some layout: how many the layout serves, and the logarithm of the
/// geometric mean of its ratios there.
std::pair<int, double> worth(const LayoutWinners& winners, const std::vector<LayoutWinners>& all) {
    std::map<std::int64_t, double> ratios;
    for (const LayoutWinners& others : all) {
        for (const TableEntry& measured : others) {
            if (const auto ratio = ratio_at(winners, measured)) {
                ratios[measured.problem.shape.m] = *ratio;
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
    const std::optional<double> kept = ratio_at(chosen, other);
    const Layout layout = chosen.front().layout;
    if (!kept) {
        return fmt::format("{}: left out: only layout {} has a kernel, and the table has {}",
                           to_string(other.problem),
                           to_string(other.layout),
                           to_string(layout));
    }
    if (other.ratio <= kWorthAWord * *kept) {
        return {};
    }
    return fmt::format(
        "{}: layout {} is {:.1f} % faster here (ratio {:.3f}, in the table {:.3f}), "
        "but {} {}",
        to_string(other.problem),
        to_string(other.layout),
        100 * (other.ratio / *kept - 1),
        other.ratio,
        *kept,
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
    const auto worth_of = [&](const LayoutWinners& winners) { return worth(winners, layouts); };
    const auto chosen = std::ranges::max_element(layouts, {}, worth_of);
    const int served = worth_of(*chosen).first;
    LayoutChoice choice{.entries = *chosen, .costs = {}};
    for (const LayoutWinners& winners : layouts) {
        const bool serves_less = worth_of(winners).first < served;
        for (const TableEntry& other : winners) {
            if (std::string text = cost(other, *chosen, serves_less); !text.empty()) {
                choice.costs.push_back(std::move(text));
            }
        }
    }
    return choice;
}

}  // namespace fdkbench
