#include "results/explanation.hpp"

#include "results/intervals.hpp"
#include "src/core/arithmetic.hpp"

#include <algorithm>

namespace fdkbench {

namespace {

/// Extents count most: kernels of another format are at least as well chosen by them.
double distance(const Problem& a, const Problem& b) {
    constexpr double kFormatWeight = 0.5;
    return octaves(a.shape.n, b.shape.n) + octaves(a.shape.k, b.shape.k) +
           kFormatWeight *
               (octaves(a.format.bits, b.format.bits) +
                octaves(a.format.group_size, b.format.group_size) + (a.type == b.type ? 0 : 1));
}

std::vector<Explanation::Rival> neighbours_of(const DispatchTable& table,
                                              const TableEntry& entry,
                                              std::int64_t m) {
    std::vector<Explanation::Rival> found;
    const auto matrix = matrix_of(entry.problem);
    const auto own = std::ranges::find(
        table.entries, entry.problem, [](const TableEntry& other) { return other.problem; });
    const auto add = [&](const TableEntry& other) {
        if (matrix_of(other.problem) == matrix) {
            found.push_back({other, predicted_us(other, m)});
        }
    };
    if (own != table.entries.begin()) {
        add(*std::prev(own));
    }
    if (own != table.entries.end() && std::next(own) != table.entries.end()) {
        add(*std::next(own));
    }
    return found;
}

}  // namespace

Explanation explain(const Store& store,
                    const DispatchTable& table,
                    const TableRules& rules,
                    const Problem& problem,
                    const TableEntry& entry) {
    const std::int64_t m = problem.shape.m;
    const std::int64_t own_m = entry.problem.shape.m;
    Explanation why;
    why.problem = problem;
    why.entry = entry;
    why.time_us = served_us(entry, m);
    why.neighbours = neighbours_of(table, entry, m);

    const DispatchTable all = read_table(store, table.device_key, {}, table.policy);
    const TableEntry* best = entry_for(all, problem);
    if (best != nullptr && !same_kernel(*best, entry)) {
        why.without_rules = {*best, served_us(*best, m)};
    }

    const auto measured = std::ranges::find(
        all.entries, problem, [](const TableEntry& other) { return other.problem; });
    if (m == own_m) {
        why.baseline_us = entry.baseline_us;
    } else if (measured != all.entries.end()) {
        why.baseline_us = measured->baseline_us;
    }

    KernelFilter filter = filter_of(rules);
    filter.matrix = entry.problem;
    filter.m = own_m;
    filter.layout = entry.layout;
    for (const TableEntry& other :
         table_entries(ranked(store, table.device_key, table.policy, filter))) {
        if (same_kernel(other, entry)) {
            continue;
        }
        if (!why.runner_up) {
            why.runner_up = other;
        }
        if (other.tied > 0 && entry.tied > 0) {
            why.tied.push_back(other);
        }
    }
    filter.layout = entry.layout == Layout::kCanonical ? Layout::kFragment : Layout::kCanonical;
    const Rows others = winners(store, table.device_key, table.policy, filter);
    if (others.size() > 0) {
        why.other_layout = table_entry(others, 0);
    }
    return why;
}

std::vector<Problem> nearest_matrices(const DispatchTable& table,
                                      const Problem& problem,
                                      std::size_t count) {
    std::vector<Problem> matrices;
    for (const TableEntry& entry : table.entries) {
        const Problem matrix = matrix_of(entry.problem);
        if (matrices.empty() || matrices.back() != matrix) {
            matrices.push_back(matrix);
        }
    }
    std::ranges::stable_sort(
        matrices, {}, [&](const Problem& matrix) { return distance(matrix, problem); });
    matrices.resize(std::min(matrices.size(), count));
    return matrices;
}

}  // namespace fdkbench
