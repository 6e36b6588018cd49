#pragma once

#include "src/core/measurement.hpp"

#include <optional>
#include <string>

namespace fdkbench {

/// A device's clock, power, temperature and energy counter, read through the driver's NVML, which
/// is loaded when the first device is opened. Where it is missing, or does not know the device (a
/// MIG slice), everything it could tell is absent.
class Nvml {
  public:
    /// `uuid` as the driver writes it: "GPU-…".
    explicit Nvml(const std::string& uuid);

    [[nodiscard]] Conditions conditions() const;
    /// Since the driver was loaded, in microjoules.
    [[nodiscard]] std::optional<double> energy_uj() const;

  private:
    void* device_ = nullptr;
};

}  // namespace fdkbench
