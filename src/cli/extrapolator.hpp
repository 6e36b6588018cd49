#pragma once

#include "results/cost_model.hpp"
#include "results/dispatch_table.hpp"
#include "tuner/sweep.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// Serves matrices that were not swept: a cost model, fitted to the measurements that the table was
/// read from, chooses among the kernels that a sweep would try there.
class Extrapolator {
  public:
    /// `store` must outlive it. Throws UsageError where an fdkbench of another version stored what
    /// this one cannot read of the device.
    Extrapolator(const Store& store, const DispatchTable& table, const TableRules& rules);

    /// Entries for a matrix (its m does not matter) that the table lacks; empty where none of the
    /// kernels that it could take was measured anywhere. Throws UsageError as validate() does.
    [[nodiscard]] std::vector<TableEntry> entries(Problem matrix) const;

    [[nodiscard]] const CostModel& model() const { return model_; }
    /// What such choices lose where that is known, for people.
    [[nodiscard]] std::string held_out_text() const;

  private:
    const Store& store_;
    TableRules rules_;
    SweepOptions options_;
    std::vector<TableEntry> measured_;
    CostModel model_;
};

}  // namespace fdkbench
