#include "results/cost_model.hpp"

#include "results/unswept.hpp"
#include "src/core/arithmetic.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>
#include <variant>

namespace fdkbench {

namespace {

/// What a configuration is taken to lose that was measured nowhere near.
constexpr double kUnknown = 1.05;
/// What each parameter costs in which another configuration stands for one that was not measured.
constexpr double kDiffering = 1.1;
/// Of the spread, what counts as loss: kernels that are near the fastest everywhere are preferred.
constexpr double kCaution = 0.5;
/// Slower than the fastest by more, and a configuration says little of those that matter.
constexpr double kNear = 1.5;
/// Octaves²; nothing is nearer than that.
constexpr double kNearest = 0.01;

double weight_of(const Shape& swept, const Shape& wanted) {
    const double n = octaves(swept.n, wanted.n);
    const double k = octaves(swept.k, wanted.k);
    return 1 / std::max(kNearest, n * n + k * k);
}

double log_weights(const Problem& problem) {
    return std::log(static_cast<double>(problem.shape.n) * static_cast<double>(problem.shape.k));
}

/// What cells of one m have in common.
Problem without_matrix(Problem problem) {
    problem.shape.n = problem.shape.k = 0;
    return problem;
}

/// Of a TableEntry, or what has its members.
CostModel::Configuration configuration_of(const auto& kernel) {
    Params params;
    for (const auto& [name, value] : kernel.params.items()) {
        const auto* number = std::get_if<std::int64_t>(&value);
        const bool all_of_k = number != nullptr && *number >= kernel.problem.shape.k;
        params.set(name, all_of_k ? ParamValue("k") : value);
    }
    return {kernel.family, params};
}

/// How many parameters differ; nothing where those of two families, or others, are not the same.
std::optional<int> difference(const CostModel::Configuration& one,
                              const CostModel::Configuration& other) {
    const auto& own = one.second.items();
    const auto& others = other.second.items();
    if (one.first != other.first || own.size() != others.size()) {
        return std::nullopt;
    }
    int differing = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
        if (own[i].first != others[i].first) {
            return std::nullopt;
        }
        differing += own[i].second == others[i].second ? 0 : 1;
    }
    return differing;
}

/// Has another kernel of the cell stand for one that was not measured.
void find_relative(CostModel::Evidence& one,
                   const std::map<CostModel::Configuration, TableEntry>& kernels,
                   const CostModel::Configuration& wanted) {
    for (const auto& [configuration, kernel] : kernels) {
        const std::optional<int> differing = difference(configuration, wanted);
        if (differing &&
            (one.kernel == nullptr || std::tuple(-*differing, kernel.ratio) >
                                          std::tuple(-one.differing, one.kernel->ratio))) {
            one.kernel = &kernel;
            one.differing = *differing;
        }
    }
}

/// Sums for the least squares of y = factor · (x − mean(x)).
struct Regression {
    void add(const std::vector<std::pair<double, double>>& points) {
        double mean_x = 0;
        double mean_y = 0;
        for (const auto& [x, y] : points) {
            mean_x += x / static_cast<double>(points.size());
            mean_y += y / static_cast<double>(points.size());
        }
        for (const auto& [x, y] : points) {
            xy += (x - mean_x) * (y - mean_y);
            xx += (x - mean_x) * (x - mean_x);
        }
    }
    [[nodiscard]] double factor() const { return xx > 0 ? xy / xx : 0; }
    double xy = 0;
    double xx = 0;
};

}  // namespace

double CostModel::Evidence::measured_slowness() const {
    return std::max(1.0, fastest->ratio / kernel->ratio);
}

double CostModel::Evidence::slowness() const {
    return measured_slowness() * std::pow(kDiffering, differing);
}

CostModel::CostModel(const std::vector<TableEntry>& measured,
                     int units,
                     const std::optional<std::vector<Failed>>& failed)
    : units_(units) {
    if (failed) {
        failed_.emplace();
        for (const Failed& kernel : *failed) {
            failed_->emplace(without_matrix(kernel.problem), configuration_of(kernel));
        }
    }
    for (const TableEntry& kernel : measured) {
        Cell& cell = cells_[kernel.problem];
        cell.kernels.emplace(configuration_of(kernel), kernel);
    }
    for (auto& [problem, cell] : cells_) {
        // What the race alone has timed is flattered by having been chosen from many.
        cell.fastest = &std::ranges::max_element(cell.kernels, {}, [](const auto& item) {
                            return std::tuple(item.second.processes > 1, item.second.ratio);
                        })->second;
        balances_[without_matrix(problem)] = 0;
    }
    for (auto& [problem, balance] : balances_) {
        balance = fitted_balance(problem);
    }
}

std::vector<std::int64_t> CostModel::swept_m(const Problem& problem) const {
    std::map<std::int64_t, int> matrices;
    for (const auto& [swept, cell] : cells_) {
        if (swept.format == problem.format && swept.type == problem.type) {
            ++matrices[swept.shape.m];
        }
    }
    return common_m(matrices);
}

double CostModel::imbalance(const TableEntry& kernel) const {
    double most = 1;
    for (const LaunchStep& step : kernel.plan.steps) {
        most = std::max(most, static_cast<double>(step.grid[0]) * step.grid[1] * step.grid[2]);
    }
    return std::log(std::ceil(most / units_) * units_ / most);
}

double CostModel::fitted_balance(const Problem& of_m) const {
    std::vector<const Cell*> cells;
    for (const auto& [problem, cell] : cells_) {
        if (without_matrix(problem) == of_m) {
            cells.push_back(&cell);
        }
    }
    Regression regression;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        for (std::size_t j = i + 1; j < cells.size(); ++j) {
            std::vector<std::pair<double, double>> changes;
            for (const auto& [configuration, kernel] : cells[i]->kernels) {
                const auto other = cells[j]->kernels.find(configuration);
                const auto is_near = [](const TableEntry& entry, const Cell& cell) {
                    return entry.ratio * kNear > cell.fastest->ratio;
                };
                if (other != cells[j]->kernels.end() && is_near(kernel, *cells[i]) &&
                    is_near(other->second, *cells[j])) {
                    changes.emplace_back(imbalance(other->second) - imbalance(kernel),
                                         std::log(kernel.ratio / other->second.ratio));
                }
            }
            regression.add(changes);
        }
    }
    return std::clamp(regression.factor(), 0.0, 1.0);
}

bool CostModel::has_relatives(const Problem& problem, const Configuration& wanted) const {
    return failed_ && !failed_->contains({without_matrix(problem), wanted});
}

std::vector<CostModel::Evidence> CostModel::evidence(const TableEntry& candidate) const {
    const Problem& wanted = candidate.problem;
    const Configuration configuration = configuration_of(candidate);
    std::vector<Evidence> found;
    double sum = 0;
    for (const auto& [problem, cell] : cells_) {
        if (without_matrix(problem) != without_matrix(wanted) || problem == wanted) {
            continue;
        }
        const auto kernel = cell.kernels.find(configuration);
        found.push_back({.problem = problem,
                         .weight = weight_of(problem.shape, wanted.shape),
                         .kernel = kernel == cell.kernels.end() ? nullptr : &kernel->second,
                         .fastest = cell.fastest});
        sum += found.back().weight;
    }
    if (std::ranges::none_of(found, &Evidence::kernel) && has_relatives(wanted, configuration)) {
        for (Evidence& one : found) {
            find_relative(one, cells_.at(one.problem).kernels, configuration);
        }
    }
    for (Evidence& one : found) {
        one.weight /= sum;
    }
    std::ranges::stable_sort(found, std::ranges::greater(), &Evidence::weight);
    return found;
}

bool CostModel::predict(TableEntry& candidate) const {
    const std::vector<Evidence> found = evidence(candidate);
    const auto newest = std::ranges::max_element(found, {}, [](const Evidence& one) {
        return one.kernel == nullptr ? -1 : one.kernel->run_id;
    });
    if (newest == found.end() || newest->kernel == nullptr) {
        return false;
    }
    const double balance = balances_.at(without_matrix(candidate.problem));
    const double own_imbalance = imbalance(candidate);
    double known = 0;
    double slowness = 0;
    double squares = 0;
    double fastest_us = log_weights(candidate.problem);
    double baseline_us = fastest_us;
    double moved = 0;
    candidate.nrmse = 0;
    candidate.repeatable = true;
    for (const Evidence& one : found) {
        const double library_us = std::log(one.fastest->baseline_us) - log_weights(one.problem);
        baseline_us += one.weight * library_us;
        fastest_us += one.weight * (library_us - std::log(one.fastest->ratio));
        if (one.kernel != nullptr) {
            const double s = std::log(one.slowness());
            known += one.weight;
            slowness += one.weight * s;
            squares += one.weight * s * s;
            moved += one.weight * (own_imbalance - imbalance(*one.kernel));
            candidate.nrmse = std::max(candidate.nrmse, one.kernel->nrmse);
            candidate.repeatable = candidate.repeatable && one.kernel->repeatable;
        }
    }
    const double mean = slowness / known;
    const double spread = std::sqrt(std::max(0.0, squares / known - mean * mean));
    candidate.time_us = std::exp(fastest_us + mean + balance * moved / known + kCaution * spread +
                                 std::log(kUnknown) * (1 - known));
    candidate.baseline_us = std::exp(baseline_us);
    candidate.ratio = candidate.baseline_us / candidate.time_us;
    candidate.processes = 0;
    candidate.extrapolated = true;
    candidate.launch_mode = newest->kernel->launch_mode;
    candidate.measured_at = newest->kernel->measured_at;
    candidate.driver = newest->kernel->driver;
    candidate.compiler = newest->kernel->compiler;
    candidate.commit = newest->kernel->commit;
    candidate.run_id = newest->kernel->run_id;
    return true;
}

std::vector<TableEntry> CostModel::predicted(std::vector<TableEntry> candidates) const {
    std::vector<TableEntry> known;
    for (TableEntry& candidate : candidates) {
        if (predict(candidate)) {
            known.push_back(std::move(candidate));
        }
    }
    std::ranges::stable_sort(known, {}, [](const TableEntry& entry) {
        return std::pair(entry.problem.shape.m, entry.time_us);
    });
    return known;
}

}  // namespace fdkbench
