#include "results/kernel_limit.hpp"

#include "results/intervals.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

namespace fdkbench {

namespace {

using Costs = std::vector<std::vector<double>>;
using Choice = std::vector<std::size_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Smaller gains are rounding.
constexpr double kGain = 1e-9;

bool is_better(double sum, double than) {
    return sum < than * (1 - kGain);
}

/// The least of the rows in each column.
std::vector<double> least_of(const Costs& costs, const Choice& rows) {
    std::vector<double> least(costs.front().size(), kInfinity);
    for (const std::size_t row : rows) {
        std::ranges::transform(
            least, costs[row], least.begin(), [](double a, double b) { return std::min(a, b); });
    }
    return least;
}

/// The sum when a row is added to others, which alone cost `least`.
double sum_with(const std::vector<double>& least, const std::vector<double>& row) {
    return std::transform_reduce(
        least.begin(), least.end(), row.begin(), 0.0, std::plus(), [](double a, double b) {
            return std::min(a, b);
        });
}

struct Addition {
    std::size_t row = 0;
    double sum = kInfinity;
};

/// The row that is best to add.
Addition best_addition(const Costs& costs, const std::vector<double>& least) {
    Addition best;
    for (std::size_t row = 0; row < costs.size(); ++row) {
        const double sum = sum_with(least, costs[row]);
        if (is_better(sum, best.sum)) {
            best = {row, sum};
        }
    }
    return best;
}

/// The best one, or two.
Choice best_pair(const Costs& costs, std::size_t count) {
    const std::vector<double> nothing(costs.front().size(), kInfinity);
    Addition single = best_addition(costs, nothing);
    Choice choice{single.row};
    double least = single.sum;
    for (std::size_t first = 0; count > 1 && first + 1 < costs.size(); ++first) {
        const Addition second = best_addition(costs, costs[first]);
        if (is_better(second.sum, least)) {
            choice = {first, second.row};
            least = second.sum;
        }
    }
    return choice;
}

void add_more(const Costs& costs, std::size_t count, Choice& choice) {
    while (choice.size() < count) {
        const std::vector<double> least = least_of(costs, choice);
        const Addition added = best_addition(costs, least);
        if (!is_better(added.sum, std::reduce(least.begin(), least.end()))) {
            return;
        }
        choice.push_back(added.row);
    }
}

/// Replaces one row by a better one; false when there is none.
bool exchange_one(const Costs& costs, Choice& choice) {
    const std::vector<double> all = least_of(costs, choice);
    const double sum = std::reduce(all.begin(), all.end());
    for (std::size_t& place : choice) {
        Choice others = choice;
        std::erase(others, place);
        const Addition added = best_addition(costs, least_of(costs, others));
        if (is_better(added.sum, sum)) {
            place = added.row;
            return true;
        }
    }
    return false;
}

/// A kernel with its measurements, by m.
struct Kernel {
    std::vector<TableEntry> entries;
    int wins = 0;
};

/// What makes two measurements those of one kernel.
auto identity(const TableEntry& entry) {
    return std::tuple(entry.family, entry.params, entry.binary_hash, for_m(entry.plan, 1));
}

const TableEntry* at(const std::vector<TableEntry>& entries, std::int64_t m) {
    const auto found = std::ranges::find(
        entries, m, [](const TableEntry& entry) { return entry.problem.shape.m; });
    return found == entries.end() ? nullptr : &*found;
}

/// Those that win most m first.
std::vector<Kernel> kernels_of(const std::vector<TableEntry>& best,
                               const std::vector<TableEntry>& measured) {
    std::map<decltype(identity(best.front())), Kernel> by_identity;
    for (const TableEntry& entry : measured) {
        by_identity[identity(entry)].entries.push_back(entry);
    }
    for (const TableEntry& entry : best) {
        Kernel& kernel = by_identity[identity(entry)];
        ++kernel.wins;
        if (at(kernel.entries, entry.problem.shape.m) == nullptr) {
            kernel.entries.push_back(entry);
        }
    }
    std::vector<Kernel> kernels;
    for (auto& [key, kernel] : by_identity) {
        std::ranges::sort(
            kernel.entries, {}, [](const TableEntry& entry) { return entry.problem.shape.m; });
        kernels.push_back(std::move(kernel));
    }
    std::ranges::stable_sort(kernels, std::ranges::greater(), &Kernel::wins);
    return kernels;
}

/// By the measurements for the next smaller and the next greater m.
double predicted(const Kernel& kernel, std::int64_t m) {
    const auto above = std::ranges::upper_bound(
        kernel.entries, m, {}, [](const TableEntry& entry) { return entry.problem.shape.m; });
    double time_us = kInfinity;
    if (above != kernel.entries.begin()) {
        time_us = predicted_us(*std::prev(above), m);
    }
    if (above != kernel.entries.end()) {
        time_us = std::min(time_us, predicted_us(*above, m));
    }
    return time_us;
}

double time_us(const Kernel& kernel, const std::vector<TableEntry>& best, std::int64_t m) {
    const TableEntry* own = at(kernel.entries, m);
    const TableEntry* winner = at(best, m);
    if (winner == nullptr) {
        return predicted(kernel, m);
    }
    return own == nullptr ? std::max(winner->time_us, predicted(kernel, m))
                          : winner->time_us * std::max(1.0, winner->ratio / own->ratio);
}

}  // namespace

std::vector<std::size_t> choose_rows(const std::vector<std::vector<double>>& costs,
                                     std::size_t count) {
    if (costs.empty()) {
        return {};
    }
    Choice choice = best_pair(costs, count);
    if (count > 2) {
        add_more(costs, count, choice);
        while (exchange_one(costs, choice)) {
        }
    }
    return choice;
}

std::vector<TableEntry> few_kernels(const std::vector<TableEntry>& best,
                                    const std::vector<TableEntry>& measured,
                                    int most,
                                    const RowCounts& weights) {
    RowCounts counts = weights;
    for (const TableEntry& entry : best) {
        if (weights.empty()) {
            counts.emplace(entry.problem.shape.m, 1);
        }
    }
    const std::vector<Kernel> kernels = kernels_of(best, measured);
    Costs costs;
    for (const Kernel& kernel : kernels) {
        auto& row = costs.emplace_back();
        for (const auto& [m, count] : counts) {
            row.push_back(count * time_us(kernel, best, m));
        }
    }
    const Choice chosen = choose_rows(costs, static_cast<std::size_t>(most));
    std::vector<TableEntry> entries;
    for (const TableEntry& winner : best) {
        const std::int64_t m = winner.problem.shape.m;
        const std::size_t fastest = *std::ranges::min_element(
            chosen, {}, [&](std::size_t i) { return time_us(kernels[i], best, m); });
        if (const TableEntry* entry = at(kernels[fastest].entries, m)) {
            entries.push_back(*entry);
        }
    }
    // Where each is predicted to be the faster one just where the other was measured.
    return entries.empty() ? kernels[chosen.front()].entries : entries;
}

}  // namespace fdkbench
