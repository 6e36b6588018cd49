#include "src/worker/timing.hpp"

#include "src/core/statistics.hpp"
#include "src/worker/device_lost.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fdkbench {
namespace {

constexpr double kReplayUs = 500;
constexpr double kMaxReplayUs = 20000;
constexpr std::size_t kFewLaunches = 4;

/// Launches of `time_us` each that fit into the longest replay; at least one.
std::size_t affordable(double time_us) {
    return static_cast<std::size_t>(std::max(1.0, kMaxReplayUs / std::max(time_us, 0.01)));
}

std::unique_ptr<Replay> record(Backend& backend,
                               Runnable& runnable,
                               std::span<const Arguments> rotation,
                               std::size_t launches) {
    std::vector<Arguments> sequence(launches);
    for (std::size_t i = 0; i < launches; ++i) {
        sequence[i] = rotation[i % rotation.size()];
    }
    return backend.record(runnable, sequence);
}

}  // namespace

double time_once(Replay& replay) {
    return waiting([&] { return replay.time_us(); });
}

double time_settled(Backend& backend, TimedReplay& timed) {
    constexpr double kReplays = 2;  // those below
    backend.rest(kReplays * timed.time_us * static_cast<double>(timed.launches));
    waiting([&] { timed.replay->run(1); });
    return time_once(*timed.replay);
}

void record_again(Backend& backend,
                  Runnable& runnable,
                  std::span<const Arguments> rotation,
                  TimedReplay& timed) {
    timed.replay = record(backend, runnable, rotation, timed.launches);
}

TimedReplay record_timed(Backend& backend,
                         Runnable& runnable,
                         std::span<const Arguments> rotation,
                         const TimingOptions& options) {
    // The first replay warms up: it only tells whether a few launches are affordable.
    auto replay = record(backend, runnable, rotation, 1);
    double estimate = time_once(*replay);
    const std::size_t few = std::min(kFewLaunches, affordable(estimate));
    if (few > 1) {
        replay = record(backend, runnable, rotation, few);
        estimate = time_once(*replay);
    }

    const auto enough = static_cast<std::size_t>(kReplayUs / std::max(estimate, 0.01));
    const std::size_t launches = std::min(std::max(enough, rotation.size()), affordable(estimate));
    replay = record(backend, runnable, rotation, launches);
    if (estimate > options.hopeless_us) {
        estimate = time_once(*replay);
        return {std::move(replay), launches, estimate};
    }
    time_once(*replay);
    std::vector<double> times(static_cast<std::size_t>(options.replays));
    for (double& time_us : times) {
        time_us = time_once(*replay);
    }
    return {std::move(replay), launches, median(times)};
}

}  // namespace fdkbench
