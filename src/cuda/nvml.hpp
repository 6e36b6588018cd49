#pragma once

#include "src/core/measurement.hpp"

#include <optional>
#include <string>

namespace fdkbench {

/// A device's clock, power, temperature, energy counter and users, read through the driver's NVML,
/// which is loaded when the first device is opened. Where it is missing, or does not know the
/// device (a MIG slice), everything it could tell is absent.
class Nvml {
  public:
    /// `uuid` as the driver writes it: "GPU-…".
    explicit Nvml(const std::string& uuid);

    [[nodiscard]] Conditions conditions() const;
    /// Since the driver was loaded, in microjoules.
    [[nodiscard]] std::optional<double> energy_uj() const;

    /// Processes with a context on the device, this one among them; nothing when the driver does
    /// not tell, and fewer (0 as a rule) when it hides those outside this container.
    [[nodiscard]] std::optional<int> compute_processes() const;

  private:
    void* device_ = nullptr;
};

}  // namespace fdkbench
