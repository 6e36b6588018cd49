#pragma once

#include "results/table_entry.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fdkbench {

/// Predicts what kernels take at matrices that were not swept, from what the same configurations (a
/// family with its parameters; a number that is k or more stands for all of k) took at those that
/// were, for the same format, type and m.
///
/// The logarithm of a configuration's time ÷ that of the fastest kernel is taken to be
///
///     mean(s) + balance · (b − mean(b)) + 0.5 · spread(s) + log(1.05) · u
///
/// s is what was measured; b is the logarithm of how many CTAs the busiest unit of the device has ÷
/// how many all have on average, as the last wave is seldom full. Mean and spread (the standard
/// deviation) are over the swept matrices, each with the weight 1 ÷ its squared distance in octaves
/// of n and k; u is the share of the weight of those at which the configuration was not measured.
/// For a configuration that was measured at none, another of its family stands at each, the fastest
/// of those that differ in the fewest parameters, slower by a factor of 1.1 for each of these.
/// `balance`, 0 to 1, is fitted by least squares to what the configurations near the fastest took
/// at each two matrices. The fastest kernel's time per weight, and the baseline's, is the mean of
/// the logarithms.
class CostModel {
  public:
    /// A family with parameters that do not depend on k.
    using Configuration = std::pair<std::string, Params>;
    /// A kernel that was tried and must not be chosen.
    struct Failed {
        Problem problem;
        std::string family;
        Params params;
    };
    /// `measured`: kernels of any cells. `units`: those of the device (DeviceInfo). For what failed
    /// at any matrix no other kernel stands; where that is nothing, for none at all.
    CostModel(const std::vector<TableEntry>& measured,
              int units,
              const std::optional<std::vector<Failed>>& failed = std::vector<Failed>{});
    CostModel(const CostModel&) = delete;  // evidence points into it
    CostModel& operator=(const CostModel&) = delete;

    /// The m that were swept for a format and type (common_m()); other members do not matter.
    [[nodiscard]] std::vector<std::int64_t> swept_m(const Problem& problem) const;

    /// What one swept matrix says of a configuration.
    struct Evidence {
        Problem problem;
        double weight = 0;                    ///< all together: 1
        const TableEntry* kernel = nullptr;   ///< null where none was measured; the model's
        const TableEntry* fastest = nullptr;  ///< of its cell
        int differing = 0;  ///< parameters in which the kernel is not as the candidate
        /// Of the kernel: the fastest's ratio to the baseline ÷ its own, at least 1.
        [[nodiscard]] double measured_slowness() const;
        /// What the candidate's time ÷ that of the fastest is taken to be there.
        [[nodiscard]] double slowness() const;
    };
    /// That of other matrices than the candidate's own, the greatest weight first.
    [[nodiscard]] std::vector<Evidence> evidence(const TableEntry& candidate) const;

    /// Those candidates (problem, family, params, plan and layout) of whose family something like
    /// them was measured, with time, ratio, baseline and error as far as they can be predicted, and
    /// marked as extrapolated; by m, of one m the fastest first.
    [[nodiscard]] std::vector<TableEntry> predicted(std::vector<TableEntry> candidates) const;

  private:
    struct Cell {
        std::map<Configuration, TableEntry> kernels;
        const TableEntry* fastest = nullptr;
    };
    [[nodiscard]] double imbalance(const TableEntry& kernel) const;
    [[nodiscard]] double fitted_balance(const Problem& of_m) const;
    [[nodiscard]] bool has_relatives(const Problem& problem, const Configuration& wanted) const;
    [[nodiscard]] bool predict(TableEntry& candidate) const;

    std::map<Problem, Cell> cells_;
    std::map<Problem, double> balances_;  ///< by problem without n and k
    /// By problem without n and k; nothing: no kernel stands for another.
    std::optional<std::set<std::pair<Problem, Configuration>>> failed_;
    int units_;
};

}  // namespace fdkbench
