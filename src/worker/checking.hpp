#pragma once

#include "src/core/backend.hpp"
#include "src/core/measurement.hpp"
#include "src/core/uninitialised.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fdkbench {

/// The products [m,n] that outputs are compared with, fp32.
struct References {
    std::vector<float> kernel;    ///< on the weights that the kernels read, dequantised
    std::vector<float> original;  ///< on the unquantised 16-bit weights; empty when the same
};

/// What checking a runnable gave. `fault` is empty when it is correct.
struct Verdict {
    std::string fault;
    std::optional<Accuracy> accuracy;
    std::optional<Accuracy> accuracy_original;
    std::optional<bool> repeatable;
};

/// Checks that runnables compute y and nothing else.
class Checker {
  public:
    /// `y` holds [m,n] and, behind it, the guard region.
    Checker(Backend& backend,
            const Problem& problem,
            Buffer& y,
            const References& references,
            double max_nrmse)
        : backend_(backend),
          problem_(problem),
          y_(y),
          references_(references),
          max_nrmse_(max_nrmse) {}

    /// Runs it on the first and on the last copy of the weights, and with fewer rows where m > 1,
    /// m − 1 and about half of a tile of its plan, each time into an output full of NaN.
    /// Faults: an element not written, a write behind the output, nrmse above the gate. Throws
    /// CandidateError when it cannot be launched, DeviceLost when the device faults.
    [[nodiscard]] Verdict check(Runnable& runnable,
                                std::span<const Arguments> rotation,
                                const LaunchPlan& plan) const;

  private:
    using Output = Uninitialised<std::uint16_t>;
    [[nodiscard]] Output run(Runnable& runnable, const Arguments& arguments) const;
    /// The fault of an output of `rows` rows, or nothing.
    [[nodiscard]] std::string fault_of(const Output& output, std::int64_t rows) const;
    [[nodiscard]] std::string written_fault(const Output& output, std::int64_t rows) const;
    [[nodiscard]] std::string value_fault(const Output& output,
                                          std::int64_t rows,
                                          double nrmse) const;
    [[nodiscard]] Accuracy accuracy(const Output& output,
                                    std::int64_t rows,
                                    std::span<const float> reference) const;

    Backend& backend_;
    const Problem& problem_;
    Buffer& y_;
    const References& references_;
    double max_nrmse_;
};

}  // namespace fdkbench
