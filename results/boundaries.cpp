#include "results/boundaries.hpp"

#include "results/layout_choice.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fdkbench {

namespace {

/// The middle m between them that is a whole number of tiles of `low`.
std::optional<std::int64_t> middle_m(const TableEntry& low, const TableEntry& high) {
    if (!low.plan.tiling || !high.plan.tiling || same_kernel(low, high)) {
        return std::nullopt;
    }
    const RowTiling& tiling = *low.plan.tiling;
    const std::int64_t first = low.problem.shape.m / tiling.m_tile + 1;
    const std::int64_t last =
        std::min(tiling.tiles(high.problem.shape.m) - 1, tiling.most_m / tiling.m_tile);
    if (first > last) {
        return std::nullopt;
    }
    return (first + (last - first) / 2) * tiling.m_tile;
}

}  // namespace

std::vector<Problem> crossings(const DispatchTable& table) {
    std::vector<Problem> found;
    for (std::size_t i = 1; i < table.entries.size(); ++i) {
        const TableEntry& low = table.entries[i - 1];
        const TableEntry& high = table.entries[i];
        if (matrix_of(low.problem) != matrix_of(high.problem)) {
            continue;
        }
        if (const auto m = middle_m(low, high)) {
            found.push_back(low.problem);
            found.back().shape.m = *m;
        }
    }
    return found;
}

std::vector<Problem> first_crossings(const Store& store,
                                     const DispatchTable& table,
                                     const std::vector<Problem>& swept) {
    const std::set<Problem> known(swept.begin(), swept.end());
    DispatchTable alone;
    for (auto& [matrix, layouts] : winners_by_matrix(store, table.device_key, table.policy)) {
        for (LayoutWinners& winners : layouts) {
            std::erase_if(winners,
                          [&](const TableEntry& entry) { return !known.contains(entry.problem); });
        }
        const LayoutWinners chosen = choose_layout(layouts).entries;
        alone.entries.insert(alone.entries.end(), chosen.begin(), chosen.end());
    }
    return crossings(alone);
}

std::vector<TableEntry> finalists(const Store& store, const DispatchTable& table) {
    std::vector<TableEntry> found;
    for (auto& [matrix, layouts] : winners_by_matrix(store, table.device_key, table.policy)) {
        std::set<std::pair<std::string, std::string>> seen;
        for (LayoutWinners& winners : layouts) {
            for (TableEntry& entry : winners) {
                if (seen.emplace(entry.family, to_string(entry.params)).second) {
                    found.push_back(std::move(entry));
                }
            }
        }
    }
    return found;
}

}  // namespace fdkbench
