#include "results/extrapolation.hpp"

#include "results/intervals.hpp"
#include "results/kernel_limit.hpp"
#include "results/layout_choice.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace fdkbench {

namespace {

std::vector<TableEntry> of_layout(const std::vector<TableEntry>& entries, Layout layout) {
    std::vector<TableEntry> found;
    std::ranges::copy_if(entries, std::back_inserter(found), [layout](const TableEntry& entry) {
        return entry.layout == layout;
    });
    return found;
}

/// Of entries by m, the first of each m.
LayoutWinners first_of_each_m(const std::vector<TableEntry>& entries) {
    LayoutWinners first;
    for (const TableEntry& entry : entries) {
        if (first.empty() || first.back().problem != entry.problem) {
            first.push_back(entry);
        }
    }
    return first;
}

/// What the choice for one matrix loses, known from `own`, the kernels measured there.
std::vector<HeldOut> losses(const CostModel& others, const std::vector<TableEntry>& own) {
    std::map<Problem, double> best;
    for (const TableEntry& kernel : own) {
        double& ratio = best[kernel.problem];
        ratio = std::max(ratio, kernel.ratio);
    }
    std::vector<HeldOut> found;
    for (const TableEntry& chosen : extrapolated_entries(others, own)) {
        const auto measured = std::ranges::find_if(own, [&](const TableEntry& kernel) {
            return kernel.problem == chosen.problem && same_kernel(kernel, chosen);
        });
        found.push_back({chosen.problem, best.at(chosen.problem) / measured->ratio - 1});
    }
    return found;
}

}  // namespace

std::vector<TableEntry> extrapolated_entries(const CostModel& model,
                                             std::vector<TableEntry> candidates,
                                             const TableRules& rules) {
    const std::vector<TableEntry> known = model.predicted(std::move(candidates));
    if (known.empty()) {
        return {};
    }
    std::vector<LayoutWinners> layouts;
    for (const Layout layout : {Layout::kCanonical, Layout::kFragment}) {
        layouts.push_back(first_of_each_m(of_layout(known, layout)));
    }
    std::vector<TableEntry> entries = choose_layout(std::move(layouts)).entries;
    if (rules.limit() > 0) {
        entries = few_kernels(
            entries, of_layout(known, entries.front().layout), rules.limit(), rules.weights);
        set_intervals(entries);
    }
    return entries;
}

void add_entries(DispatchTable& table, const std::vector<TableEntry>& entries) {
    table.entries.insert(table.entries.end(), entries.begin(), entries.end());
    std::ranges::stable_sort(table.entries, {}, [](const TableEntry& entry) {
        return std::pair(matrix_of(entry.problem), entry.problem.shape.m);
    });
}

std::vector<HeldOut> held_out(const std::vector<TableEntry>& measured, int units) {
    std::map<Problem, std::vector<TableEntry>> matrices;
    for (const TableEntry& kernel : measured) {
        matrices[matrix_of(kernel.problem)].push_back(kernel);
    }
    std::vector<HeldOut> all;
    for (const auto& [matrix, own] : matrices) {
        std::vector<TableEntry> rest;
        const auto is_other = [&out = matrix](const TableEntry& kernel) {
            return matrix_of(kernel.problem) != out;
        };
        std::ranges::copy_if(measured, std::back_inserter(rest), is_other);
        const std::vector<HeldOut> found = losses(CostModel(rest, units), own);
        all.insert(all.end(), found.begin(), found.end());
    }
    return all;
}

double mean_loss(const std::vector<HeldOut>& all) {
    double sum = 0;
    for (const HeldOut& one : all) {
        sum += std::log1p(one.loss);
    }
    return all.empty() ? 0 : std::expm1(sum / static_cast<double>(all.size()));
}

}  // namespace fdkbench
