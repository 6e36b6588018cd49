#pragma once

#include "src/core/serving.hpp"
#include "src/cuda/quantiser.hpp"
#include "src/fdk/serving_table.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace fdkbench {

/// The devices that a table's matrices live on, opened at first use.
class Devices {
  public:
    struct Opened {
        std::shared_ptr<ServingDevice> device;
        std::string notice;  ///< as that of fdk_table_notice()
    };

    /// "host", "cuda:1"; "" is the first of the table's kind. Throws StatusError (no device) for
    /// one that is not there or that the table's kernels are not compiled for. Always the same
    /// table; what is opened stays where it is.
    const Opened& open(const std::string& id, const ServingTable& table);

  private:
    std::map<std::string, Opened> opened_;
};

/// Calls `work` with the quantiser of a GPU ("cuda:1"), made at first use and kept; of one GPU one
/// call after the other. Throws StatusError (no device) for one that is not there or that nothing
/// was built for.
void with_quantiser(const std::string& id, const std::function<void(Quantiser&)>& work);

}  // namespace fdkbench
