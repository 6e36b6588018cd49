#pragma once

#include "tuner/sweep.hpp"

#include <cstddef>
#include <mutex>
#include <vector>

namespace fdkbench {

/// The cells of a plan that have work, for several devices. Neighbours that share their weights
/// stay together: a device prepares the weights once, and no kernel is compiled on behalf of two.
class CellQueue {
  public:
    explicit CellQueue(const SweepPlan& plan) : plan_(plan) {}

    /// Indices of the next cells, in order; empty when none is left. Safe to call from any thread.
    std::vector<std::size_t> take();

  private:
    const SweepPlan& plan_;
    std::mutex mutex_;
    std::size_t next_ = 0;
};

}  // namespace fdkbench
