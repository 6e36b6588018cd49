#pragma once

#include "src/protocol/messages.hpp"

#include <deque>
#include <optional>
#include <string>

namespace fdkbench {

/// Tells blocks that were timed on a device in its usual state from others (design: measuring).
class ClockWatch {
  public:
    /// Why a block must not count: the device gives a reason for holding its clock down, or the
    /// clock moved by more than 2 % within the block or away from the middle of the last blocks.
    /// Nothing where the device does not tell.
    std::optional<std::string> objection(const protocol::BlockReply& block);

  private:
    std::deque<double> clocks_mhz_;  ///< of the last blocks, discarded ones as well
};

}  // namespace fdkbench
