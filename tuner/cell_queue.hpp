#pragma once

#include "tuner/sweep.hpp"

#include <cstddef>
#include <mutex>
#include <vector>

namespace fdkbench {

/// The cells of a plan that have work, for several devices. Neighbours that share their weights
/// stay together, so that a device prepares the weights once, as far as there is work for all.
class CellQueue {
  public:
    CellQueue(const SweepPlan& plan, std::size_t lanes);

    [[nodiscard]] std::size_t lanes() const { return lanes_; }

    /// Indices of the next cells, in order; empty when none is left. Safe to call from any thread.
    std::vector<std::size_t> take();

  private:
    const SweepPlan& plan_;
    std::size_t lanes_;
    std::size_t most_;  ///< cells handed out at once
    std::mutex mutex_;
    std::size_t next_ = 0;
};

}  // namespace fdkbench
