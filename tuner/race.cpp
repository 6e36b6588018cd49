#include "tuner/race.hpp"

#include "kernels/family.hpp"

#include <algorithm>

namespace fdkbench {

namespace {

constexpr double kHopeless = 1.5;
constexpr double kTie = 0.01;
constexpr double kHalfWidth = 0.005;
constexpr std::size_t kSamplesToJudge = 3;
/// More between two replays of the baseline, and the pair no longer sees the same device.
constexpr std::int64_t kSlotsPerBlock = 8;

bool within_tie(const RatioEstimate& estimate, const RatioEstimate& best) {
    return estimate.ratio >= (1 - kTie) * best.ratio;
}

double least_time(double estimate_us, const std::vector<Sample>& samples) {
    double least = estimate_us;
    for (const Sample& sample : samples) {
        least = std::min(least, sample.time_us);
    }
    return least;
}

}  // namespace

double median_time_us(const std::vector<Sample>& samples) {
    std::vector<double> times;
    times.reserve(samples.size());
    for (const Sample& sample : samples) {
        times.push_back(sample.time_us);
    }
    return median(std::move(times));
}

Race::Race(const std::vector<Racer>& racers, std::uint64_t seed, RaceRounds rounds)
    : random_(seed), rounds_(rounds) {
    for (const Racer& racer : racers) {
        samples_[racer.slot] = {};
        racing_.emplace(racer.slot, racer.estimate_us);
    }
}

RaceStep Race::next() {
    RaceStep step;
    if (blocks_.empty() && !over_) {
        step.dropped = judge();
        over_ = settled();
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
        samples.push_back(
            {block.times_us.at(i), block.baseline_before_us, block.baseline_after_us});
        estimates_[slots[i]] = paired_ratio(samples);
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
    if (leader_slot < 0) {
        return dropped;
    }
    const RatioEstimate best = estimates_.at(leader_slot);
    const double hopeless_us = kHopeless * median_time_us(samples_.at(leader_slot));
    for (const auto& [slot, estimate] : estimates_) {
        const std::vector<Sample>& samples = samples_.at(slot);
        const bool slower = samples.size() >= kSamplesToJudge && estimate.hi < best.lo &&
                            !within_tie(estimate, best);
        if (slower || least_time(racing_.at(slot), samples) > hopeless_us) {
            dropped.push_back(slot);
        }
    }
    for (const int slot : dropped) {
        remove(slot);
    }
    return dropped;
}

bool Race::settled() const {
    if (racing_.empty() || round_ >= rounds_.most) {
        return true;
    }
    return round_ >= rounds_.least &&
           std::all_of(estimates_.begin(), estimates_.end(), [](const auto& entry) {
               return entry.second.half_width() < kHalfWidth;
           });
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
