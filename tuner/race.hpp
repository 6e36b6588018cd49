#pragma once

#include "src/core/measurement.hpp"
#include "src/core/statistics.hpp"
#include "src/protocol/messages.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace fdkbench {

/// One candidate at the start of a race.
struct Racer {
    int slot = 0;
    double estimate_us = 0;  ///< a first look at its time
    bool stays = false;      ///< it does not leave before it has the samples of an interval
};

/// How long a race goes on; every candidate still in it is sampled once a round.
struct RaceLimits {
    int least_rounds = 6;  ///< the fewest that give an interval (paired_ratio)
    int most_rounds = 60;
    bool drop = true;  ///< false: every candidate stays, until all are as precise as a leader
};

/// What happens next.
struct RaceStep {
    std::vector<int> dropped;  ///< slots that have left the race: their samples are final
    std::vector<int> block;    ///< slots to time next, in this order; empty when the race is over
};

/// Finds the fastest of several candidates with few samples (design: measuring). Pure logic: the
/// caller times the blocks. Each round samples every candidate once, in blocks of random order.
/// A candidate leaves after a round when it is hopeless (estimate and samples all above the
/// leader's time by 50 %, from the second sample on by 15 %) or slower (from the third sample on:
/// its interval below the leader's, and more than 2 % apart). The race is over when the half-width
/// of the leader's interval is under 0.5 %, or the rounds or the time are used up.
class Race {
  public:
    Race(const std::vector<Racer>& racers, std::uint64_t seed, RaceLimits limits = {});

    /// The next block; every slot of the last one must have been added, removed or put back. When
    /// `out_of_time`, no round beyond the least begins.
    RaceStep next(bool out_of_time = false);
    /// Takes the times of `slots` from one block between two baseline replays.
    void add(const std::vector<int>& slots, const protocol::BlockReply& block);
    /// They were not timed in their block: it comes again, in halves.
    void put_back(const std::vector<int>& slots);
    /// Takes a candidate out, for instance because it failed.
    void remove(int slot);

    /// Slots still racing; at the end the finalists.
    [[nodiscard]] std::vector<int> racing() const;
    /// All samples of a slot, whether it still races or not.
    [[nodiscard]] const std::vector<Sample>& samples(int slot) const { return samples_.at(slot); }
    /// The slot with the highest ratio among those still racing; −1 when none was sampled.
    [[nodiscard]] int leader() const;

  private:
    [[nodiscard]] std::vector<int> judge();
    [[nodiscard]] bool settled(bool out_of_time) const;
    void start_round();

    std::map<int, double> racing_;  ///< slot → a first look at its time
    std::set<int> staying_;         ///< Racer::stays
    std::map<int, std::vector<Sample>> samples_;
    std::map<int, RatioEstimate> estimates_;  ///< of the slots still racing, after their last round
    std::vector<std::vector<int>> blocks_;    ///< of this round, the next one last
    std::mt19937_64 random_;
    RaceLimits limits_;
    int round_ = 0;
    bool over_ = false;
};

}  // namespace fdkbench
