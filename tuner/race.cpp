#include "tuner/race.hpp"

#include "kernels/family.hpp"

#include <algorithm>

namespace fdkbench {

namespace {

/// Nobody whose estimate and samples are all slower than the leader by this factor catches up: by
/// the first after one sample, by the second, which is still twice what the place of x and y can
/// cost, after more.
constexpr double kHopeless = 1.5;
constexpr double kBehind = 1.15;
/// Processes differ by so much: who is as close as that may win in the next one.
constexpr double kProcessSpread = 0.02;
constexpr double kHalfWidth = 0.005;
constexpr std::size_t kSamplesToJudge = 3;
/// More between two replays of the baseline, and the pair no longer sees the same device.
constexpr std::int64_t kSlotsPerBlock = 8;

bool may_still_win(const RatioEstimate& estimate, const RatioEstimate& best) {
    return estimate.ratio >= (1 - kProcessSpread) * best.ratio;
}

double least_time(double estimate_us, const std::vector<Sample>& samples) {
    double least = estimate_us;
    for (const Sample& sample : samples) {
        least = std::min(least, sample.time_us);
    }
    return least;
}

}  // namespace

Race::Race(const std::vector<Racer>& racers, std::uint64_t seed, RaceLimits limits)
    : random_(seed), limits_(limits) {
    for (const Racer& racer : racers) {
        samples_[racer.slot] = {};
        racing_.emplace(racer.slot, racer.estimate_us);
        if (racer.stays) {
            staying_.insert(racer.slot);
        }
    }
}

RaceStep Race::next(bool out_of_time) {
    RaceStep step;
    if (blocks_.empty() && !over_) {
        step.dropped = judge();
        over_ = settled(out_of_time);
        if (!over_) {
            start_round();
        }
    }
    if (!blocks_.empty()) {
        step.block = std::move(blocks_.back());
        blocks_.pop_back();
    }
    return step;
}

void Race::add(const std::vector<int>& slots, const protocol::BlockReply& block) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
        std::vector<Sample>& samples = samples_.at(slots[i]);
        samples.push_back({.time_us = block.times_us.at(i),
                           .baseline_before_us = block.baseline_before_us,
                           .baseline_after_us = block.baseline_after_us,
                           .sm_clock_mhz = block.after.sm_clock_mhz});
        estimates_[slots[i]] = paired_ratio(samples);
    }
}

void Race::put_back(const std::vector<int>& slots) {
    const auto middle = slots.begin() + (std::ssize(slots) + 1) / 2;
    for (const auto& half :
         {std::vector(slots.begin(), middle), std::vector(middle, slots.end())}) {
        if (!half.empty()) {
            blocks_.push_back(half);
        }
    }
}

void Race::remove(int slot) {
    racing_.erase(slot);
    estimates_.erase(slot);
    for (std::vector<int>& block : blocks_) {
        std::erase(block, slot);
    }
    std::erase_if(blocks_, [](const std::vector<int>& block) { return block.empty(); });
}

std::vector<int> Race::racing() const {
    std::vector<int> slots;
    for (const auto& [slot, estimate_us] : racing_) {
        slots.push_back(slot);
    }
    return slots;
}

int Race::leader() const {
    const auto best =
        std::max_element(estimates_.begin(), estimates_.end(), [](const auto& a, const auto& b) {
            return a.second.ratio < b.second.ratio;
        });
    return best == estimates_.end() ? -1 : best->first;
}

std::vector<int> Race::judge() {
    std::vector<int> dropped;
    const int leader_slot = leader();
    if (leader_slot < 0 || !limits_.drop) {
        return dropped;
    }
    const RatioEstimate best = estimates_.at(leader_slot);
    const double leader_us = median_time_us(samples_.at(leader_slot));
    for (const auto& [slot, estimate] : estimates_) {
        const std::vector<Sample>& samples = samples_.at(slot);
        if (staying_.contains(slot) && std::ssize(samples) < limits_.least_rounds) {
            continue;
        }
        const bool slower = samples.size() >= kSamplesToJudge && estimate.hi < best.lo &&
                            !may_still_win(estimate, best);
        const double most_us = (samples.size() > 1 ? kBehind : kHopeless) * leader_us;
        if (slower || least_time(racing_.at(slot), samples) > most_us) {
            dropped.push_back(slot);
        }
    }
    for (const int slot : dropped) {
        remove(slot);
    }
    return dropped;
}

bool Race::settled(bool out_of_time) const {
    if (racing_.empty() || round_ >= limits_.most_rounds) {
        return true;
    }
    if (round_ < limits_.least_rounds) {
        return false;
    }
    const auto precise = [this](int slot) {
        const auto estimate = estimates_.find(slot);
        return estimate != estimates_.end() && estimate->second.half_width() < kHalfWidth;
    };
    return out_of_time ||
           (limits_.drop ? precise(leader()) : std::ranges::all_of(racing(), precise));
}

void Race::start_round() {
    ++round_;
    std::vector<int> slots = racing();
    std::shuffle(slots.begin(), slots.end(), random_);
    const auto count = static_cast<std::int64_t>(slots.size());
    const std::int64_t blocks = ceil_div(count, kSlotsPerBlock);
    // Blocks of equal size, so that no candidate sits alone between its baselines.
    for (std::int64_t i = 0; i < blocks; ++i) {
        blocks_.emplace_back(slots.begin() + count * i / blocks,
                             slots.begin() + count * (i + 1) / blocks);
    }
}

}  // namespace fdkbench
