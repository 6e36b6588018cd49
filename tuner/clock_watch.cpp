#include "tuner/clock_watch.hpp"

#include "src/core/statistics.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace fdkbench {

namespace {

constexpr double kDrift = 0.02;
/// A clock that has settled elsewhere is the usual one after half as many blocks.
constexpr std::size_t kRemembered = 15;
constexpr std::size_t kEnough = 3;

bool apart(double a_mhz, double b_mhz) {
    return std::abs(a_mhz - b_mhz) > kDrift * std::max(a_mhz, b_mhz);
}

}  // namespace

std::optional<std::string> ClockWatch::objection(const protocol::BlockReply& block) {
    for (const Conditions* conditions : {&block.after, &block.before}) {
        if (!conditions->throttle_reasons.empty()) {
            return fmt::format("the device throttles: {}",
                               fmt::join(conditions->throttle_reasons, ", "));
        }
    }
    const auto before = block.before.sm_clock_mhz;
    const auto after = block.after.sm_clock_mhz;
    if (!before || !after) {
        return std::nullopt;
    }
    std::optional<std::string> found;
    if (apart(*before, *after)) {
        found = fmt::format("the clock went from {:.0f} to {:.0f} MHz", *before, *after);
    } else if (clocks_mhz_.size() >= kEnough) {
        const double usual = median({clocks_mhz_.begin(), clocks_mhz_.end()});
        if (apart(*after, usual)) {
            found = fmt::format("the clock was {:.0f} MHz, usually {:.0f}", *after, usual);
        }
    }
    clocks_mhz_.push_back(*after);
    if (clocks_mhz_.size() > kRemembered) {
        clocks_mhz_.pop_front();
    }
    return found;
}

}  // namespace fdkbench
