#pragma once

#include "results/dispatch_table.hpp"
#include "src/core/candidate.hpp"
#include "src/core/json.hpp"
#include "src/core/measurement.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What a table would take for a problem, and how that did in a race against everything else.
struct CheckedChoice {
    Candidate candidate;
    bool extrapolated = false;               ///< the table's matrix was not swept
    std::optional<Measurement> measurement;  ///< nothing: it was not reached or did not compile
    std::optional<TableEntry> best;          ///< of the race; nothing: no kernel was timed

    [[nodiscard]] bool timed() const;
    /// Whether it ran, and was found to be wrong.
    [[nodiscard]] bool wrong() const;
    /// What it takes longer than the best, by the ratios to the baseline; 0.01: 1 %. Of a timed
    /// one.
    [[nodiscard]] double loss() const;
    /// Than the baseline. Of a timed one.
    [[nodiscard]] bool slower() const;
};

/// The largest that are allowed; 0.02: 2 %.
struct LossLimits {
    double mean = 0;  ///< of the geometric mean
    double worst = 0;
};

/// What a check found.
class CheckReport {
  public:
    /// The most tokens for which a choice must not be slower than the baseline.
    static constexpr std::int64_t kFewTokens = 64;

    CheckReport(std::vector<CheckedChoice> all, LossLimits limits);

    /// A line for each problem, and one for all.
    [[nodiscard]] std::string text() const;
    /// The same as one event.
    [[nodiscard]] Json json() const;
    /// A line for each limit that is broken; "" when all are kept.
    [[nodiscard]] std::string broken() const;
    /// How many were neither timed nor wrong.
    [[nodiscard]] std::size_t unmeasured() const;

  private:
    [[nodiscard]] std::size_t wrong() const;
    [[nodiscard]] std::size_t slower() const;

    std::vector<CheckedChoice> all_;
    LossLimits limits_;
    double mean_loss_ = 0;
    double worst_loss_ = 0;
};

/// What is going to be measured: a line for each matrix.
std::string check_plan_text(const std::vector<Problem>& problems, const DispatchTable& table);

}  // namespace fdkbench
