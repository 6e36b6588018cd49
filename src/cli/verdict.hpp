#pragma once

#include "src/core/measurement.hpp"
#include "src/core/problem.hpp"

#include <optional>
#include <string>

namespace fdkbench {

/// What measuring a winner again says of it.
enum class Verdict { kHolds, kDrifted, kWrong, kNotMeasured };

struct Judgement {
    Verdict verdict = Verdict::kNotMeasured;
    std::string text;  ///< "holds", "DRIFTED -4.1 %", "WRONG: timeout: …", "not measured: …"
};

/// Gathers what one fresh process after the other measures of a winner.
class Trial {
  public:
    /// `stored` is what is known of it on the problem, and must outlive this.
    Trial(const Measurement& stored, const Problem& problem) : stored_(stored), problem_(problem) {}

    /// Adds what another process measured; of none was it a race.
    void add(Measurement measured);
    /// The last process did not reach it, and why.
    void add_nothing(const std::string& why) { nothing_ = why; }

    /// Drifted: the intervals are apart and the ratios more than 1 % from each other. Holds: that
    /// is not so, and a drift of 10 % would have shown. Wrong: its output is, or it failed in two
    /// processes. Else it could not be measured, as when it was throttled.
    [[nodiscard]] Judgement judgement() const;

    /// Whether another process could change the judgement: not once it holds or is wrong.
    [[nodiscard]] bool in_doubt() const;

    /// What the processes in which it did not fail measured together; null without any.
    [[nodiscard]] const Measurement* now() const { return now_ ? &*now_ : nullptr; }

  private:
    const Measurement& stored_;
    const Problem problem_;
    std::optional<Measurement> now_;
    int failures_ = 0;  ///< processes in which it was neither correct nor throttled
    bool wrong_output_ = false;
    std::string failure_;                  ///< the last one
    std::string nothing_ = "interrupted";  ///< why no process reached it
};

}  // namespace fdkbench
