#include "results/table_cost.hpp"

#include "results/intervals.hpp"
#include "src/core/counted.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace fdkbench {

namespace {

constexpr std::size_t kMostLines = 8;
/// What is less is printed as 0.0 %.
constexpr double kWorthALine = 1.0005;

/// Time by `entry` ÷ time by `other`, which was measured for m.
double factor(const TableEntry& entry, const TableEntry& other) {
    const std::int64_t m = other.problem.shape.m;
    return m == entry.problem.shape.m ? other.ratio / entry.ratio
                                      : predicted_us(entry, m) / other.time_us;
}

void add_entry(MatrixCost& cost, const DispatchTable& table, const TableEntry& other) {
    const std::int64_t m = other.problem.shape.m;
    if (const TableEntry* entry = entry_for(table, other.problem)) {
        cost.served.push_back({m, factor(*entry, other)});
    } else {
        cost.unserved.push_back(m);
    }
}

void add_weight(MatrixCost& cost,
                const DispatchTable& table,
                const DispatchTable& other,
                std::int64_t m,
                double count) {
    Problem problem = cost.matrix;
    problem.shape.m = m;
    const TableEntry* entry = entry_for(table, problem);
    const TableEntry* base = entry_for(other, problem);
    if (entry == nullptr || base == nullptr) {
        return;
    }
    const double base_us = served_us(*base, m);
    cost.other_us += count * base_us;
    cost.time_us += count * (base->problem.shape.m == m ? base_us * factor(*entry, *base)
                                                        : served_us(*entry, m));
}

/// Geometric mean and worst over cells.
struct Summary {
    void add(const MatrixCost& cost) {
        for (const MatrixCost::AtM& at : cost.served) {
            logarithms += std::log(at.factor);
            ++cells;
            if (cells == 1 || at.factor > worst) {
                worst = at.factor;
                worst_problem = cost.matrix;
                worst_problem.shape.m = at.m;
            }
        }
        time_us += cost.time_us;
        other_us += cost.other_us;
    }
    [[nodiscard]] double mean() const {
        return cells == 0 ? 1 : std::exp(logarithms / static_cast<double>(cells));
    }
    double logarithms = 0;
    std::size_t cells = 0;
    double worst = 1;
    Problem worst_problem;
    double time_us = 0;
    double other_us = 0;
};

std::string percent(double factor) {
    const double value = 100 * (factor - 1);
    return fmt::format("{:.1f} %", std::abs(value) < 0.05 ? 0.0 : value);
}

std::string figures(const Summary& summary, bool by_weights, const std::string& worst) {
    std::string text;
    if (by_weights && summary.other_us > 0) {
        text = fmt::format("{} more time in all; ", percent(summary.time_us / summary.other_us));
    }
    return text + fmt::format("geometric mean {}, worst {} ({})",
                              percent(summary.mean()),
                              percent(summary.worst),
                              worst);
}

Summary summary_of(const MatrixCost& cost) {
    Summary summary;
    summary.add(cost);
    return summary;
}

/// By which matrices are put in order: more time in all, or worst.
double loss(const MatrixCost& cost, bool by_weights) {
    const Summary summary = summary_of(cost);
    return by_weights && summary.other_us > 0 ? summary.time_us / summary.other_us : summary.worst;
}

}  // namespace

std::vector<MatrixCost> table_costs(const DispatchTable& table,
                                    const DispatchTable& other,
                                    const RowCounts& weights) {
    std::vector<MatrixCost> costs;
    for (const TableEntry& entry : other.entries) {
        const Problem matrix = matrix_of(entry.problem);
        if (costs.empty() || costs.back().matrix != matrix) {
            costs.emplace_back().matrix = matrix;
            for (const auto& [m, count] : weights) {
                add_weight(costs.back(), table, other, m, count);
            }
        }
        add_entry(costs.back(), table, entry);
        if (weights.empty()) {
            add_weight(costs.back(), table, other, entry.problem.shape.m, 1);
        }
    }
    return costs;
}

std::string cost_text(const std::string& what,
                      const std::vector<MatrixCost>& costs,
                      bool by_weights) {
    Summary all;
    std::vector<const MatrixCost*> dear;
    std::string left_out;
    for (const MatrixCost& cost : costs) {
        all.add(cost);
        if (loss(cost, by_weights) > kWorthALine) {
            dear.push_back(&cost);
        }
        if (!cost.unserved.empty()) {
            left_out += fmt::format("  {}: left out for m = {}: no kernel keeps to {}\n",
                                    matrix_text(cost.matrix),
                                    fmt::join(cost.unserved, ", "),
                                    what);
        }
    }
    if (all.cells == 0) {
        return left_out;
    }
    std::ranges::stable_sort(dear, std::ranges::greater(), [&](const MatrixCost* cost) {
        return loss(*cost, by_weights);
    });
    std::string text = fmt::format("{} costs, over {}: {}\n",
                                   what,
                                   counted(all.cells, "cell"),
                                   figures(all, by_weights, to_string(all.worst_problem)));
    if (dear.size() > kMostLines) {
        text += fmt::format("  most of {}:\n", counted(dear.size(), "matrix", "matrices"));
        dear.resize(kMostLines);
    }
    for (const MatrixCost* cost : dear) {
        const Summary summary = summary_of(*cost);
        text += fmt::format(
            "  {}: {}\n",
            matrix_text(cost->matrix),
            figures(summary, by_weights, fmt::format("m={}", summary.worst_problem.shape.m)));
    }
    return text + left_out;
}

}  // namespace fdkbench
