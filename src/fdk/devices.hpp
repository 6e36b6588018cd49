#pragma once

#include "src/core/serving.hpp"
#include "src/fdk/serving_table.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fdkbench {

/// The devices that a table's matrices live on, opened at first use.
class Devices {
  public:
    /// "host", "cuda:1"; "" is the first of the table's kind. Throws StatusError (no device) for
    /// one that is not there or that the table's kernels are not compiled for.
    std::shared_ptr<ServingDevice> open(const std::string& id, const ServingTable& table);

  private:
    std::map<std::string, std::shared_ptr<ServingDevice>> opened_;
};

}  // namespace fdkbench
