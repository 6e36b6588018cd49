#pragma once

#include "tuner/sweep.hpp"

#include <memory>

namespace fdkbench {

/// One JSON object per event on standard output.
std::unique_ptr<SweepListener> json_progress();

/// For people, on standard error: a bar with ETA and the current best on a terminal, one line per
/// finished cell elsewhere.
std::unique_ptr<SweepListener> text_progress();

/// For commands that show no progress: warnings on standard error.
std::unique_ptr<SweepListener> only_warnings();

}  // namespace fdkbench
