#pragma once

#include "src/core/backend.hpp"

#include <cstddef>
#include <limits>
#include <memory>
#include <span>

namespace fdkbench {

/// A replay long enough to be timed, and a first estimate from it.
struct TimedReplay {
    std::unique_ptr<Replay> replay;
    std::size_t launches = 0;  ///< of one replay
    double time_us = 0;        ///< per launch
};

/// How a runnable is timed.
struct TimingOptions {
    int replays = 3;  ///< the estimate is the median of these
    /// A runnable that takes longer than this per launch gets one replay only.
    double hopeless_us = std::numeric_limits<double>::infinity();
};

/// One replay, in microseconds per launch. Throws DeviceLost when the device faults.
double time_once(Replay& replay);

/// As time_once, but of a device that rested for as long as this takes, and after a replay that is
/// not timed: caches and address translation then hold what this replay itself left there,
/// whichever kernel ran before.
double time_settled(Backend& backend, TimedReplay& timed);

/// Records as many launches as before over another rotation.
void record_again(Backend& backend,
                  Runnable& runnable,
                  std::span<const Arguments> rotation,
                  TimedReplay& timed);

/// Records launches that rotate over `rotation`: as many as last about 0.5 ms, at least one for
/// each element so that the whole budget of cold bytes is gone through, but no more than 20 ms
/// take.
TimedReplay record_timed(Backend& backend,
                         Runnable& runnable,
                         std::span<const Arguments> rotation,
                         const TimingOptions& options);

}  // namespace fdkbench
