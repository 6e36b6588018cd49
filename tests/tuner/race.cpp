#include "tuner/race.hpp"

#include "tests/catch.hpp"

#include <algorithm>
#include <cmath>
#include <random>

using namespace fdkbench;

namespace {

/// A device on which slot i takes times[i] µs, with noise and a slow drift that pairs cancel.
class Simulation {
  public:
    Simulation(std::vector<double> times, double noise, std::uint32_t seed)
        : times_(std::move(times)), noise_(noise), random_(seed) {}

    std::vector<Racer> racers() {
        std::vector<Racer> racers;
        for (std::size_t slot = 0; slot < times_.size(); ++slot) {
            racers.push_back({static_cast<int>(slot), replay(times_[slot])});
        }
        return racers;
    }

    protocol::BlockReply block(const std::vector<int>& slots) {
        ++blocks_;
        drift_ *= 1.001;
        protocol::BlockReply reply;
        reply.baseline_before_us = replay(100);
        reply.baseline_after_us = replay(100);
        reply.baseline_first_us = replay(105);
        for (const int slot : slots) {
            reply.times_us.push_back(replay(times_.at(slot)));
        }
        return reply;
    }

    void run(Race& race) {
        for (RaceStep step = race.next(); !step.block.empty(); step = race.next()) {
            REQUIRE(step.block.size() <= 8);
            race.add(step.block, block(step.block));
        }
    }
    [[nodiscard]] int blocks() const { return blocks_; }

  private:
    double replay(double time_us) {
        return time_us * drift_ * std::normal_distribution<>(1, noise_)(random_);
    }

    std::vector<double> times_;
    double noise_;
    double drift_ = 1;
    int blocks_ = 0;
    std::mt19937 random_;
};

/// 40 candidates from 50 µs on, each 2 % slower than the one before, in an order of no help.
std::vector<double> ladder() {
    std::vector<double> times;
    for (int i = 0; i < 40; ++i) {
        times.push_back(50 * std::pow(1.02, (i * 17 + 5) % 40));
    }
    return times;
}

}  // namespace

TEST_CASE("A racer that stays has the samples of an interval, however slow it is") {
    Simulation simulation({100, 101, 900}, 0.004, 1);
    std::vector<Racer> racers = simulation.racers();
    SECTION("it stays") {
        racers[2].stays = true;
        Race race(racers, 1);
        simulation.run(race);
        CHECK(std::ssize(race.samples(2)) == RaceLimits{}.least_rounds);
        CHECK(std::ranges::count(race.racing(), 2) == 0);
    }
    SECTION("it does not") {
        Race race(racers, 1);
        simulation.run(race);
        CHECK(race.samples(2).size() == 1);
    }
}

TEST_CASE("The fastest wins under noise, with far fewer blocks than measuring everything") {
    const std::vector<double> times = ladder();
    const int fastest =
        static_cast<int>(std::min_element(times.begin(), times.end()) - times.begin());
    int right = 0;
    for (std::uint32_t seed = 0; seed < 50; ++seed) {
        Simulation simulation(times, 0.004, seed);
        Race race(simulation.racers(), seed);
        simulation.run(race);
        right += race.leader() == fastest ? 1 : 0;
        CHECK(simulation.blocks() < 20 * 5 / 3);  // 20 rounds of 40 candidates are 100 blocks
    }
    CHECK(right >= 49);
}

TEST_CASE("A clear case is over after the fewest rounds") {
    Simulation simulation({50, 100, 120, 150}, 0.002, 1);
    Race race(simulation.racers(), 1);
    simulation.run(race);
    CHECK(race.leader() == 0);
    CHECK(race.racing() == std::vector<int>{0});
    CHECK(race.samples(0).size() == 6);
}

TEST_CASE("Every candidate is sampled, the hopeless once, those far behind twice") {
    Simulation simulation({50, 90, 52, 60}, 0.002, 1);
    Race race(simulation.racers(), 1);
    simulation.run(race);
    CHECK(race.samples(1).size() == 1);
    CHECK(race.samples(2).size() >= 3);
    CHECK(race.samples(3).size() == 2);
}

TEST_CASE("One bad sample does not make a candidate hopeless") {
    Simulation simulation({50, 50}, 0.001, 1);
    Race race(simulation.racers(), 1);
    const RaceStep first = race.next();
    protocol::BlockReply reply = simulation.block(first.block);
    reply.times_us[0] *= 2;
    race.add(first.block, reply);
    CHECK(race.next().dropped.empty());
}

TEST_CASE("Whoever leaves is named once") {
    Simulation simulation(ladder(), 0.003, 3);
    Race race(simulation.racers(), 3);
    std::vector<int> left;
    RaceStep step = race.next();
    while (true) {
        left.insert(left.end(), step.dropped.begin(), step.dropped.end());
        if (step.block.empty()) {
            break;
        }
        race.add(step.block, simulation.block(step.block));
        step = race.next();
    }
    const std::vector<int> finalists = race.racing();
    left.insert(left.end(), finalists.begin(), finalists.end());
    std::sort(left.begin(), left.end());
    CHECK(left.size() == 40);
    CHECK(std::unique(left.begin(), left.end()) == left.end());
}

TEST_CASE("Noise that no number of samples overcomes ends after the most rounds") {
    Simulation simulation({50, 51}, 0.1, 1);
    Race race(simulation.racers(), 1, {6, 9});
    simulation.run(race);
    CHECK(race.samples(0).size() == 9);
}

TEST_CASE("Those who tie with the leader stay to the end, and the leader is the fastest") {
    Simulation simulation({50.2, 50, 51.5}, 0.001, 5);
    Race race(simulation.racers(), 5);
    simulation.run(race);
    CHECK(race.racing() == std::vector<int>{0, 1});  // 0.4 % and 3 % slower
    CHECK(race.leader() == 1);
}

TEST_CASE("A candidate that is taken out is not timed again") {
    Simulation simulation({50, 50, 50}, 0.001, 2);
    Race race(simulation.racers(), 2);
    const RaceStep first = race.next();
    REQUIRE(first.block.size() == 3);
    race.remove(1);
    race.add({0, 2}, simulation.block({0, 2}));
    for (RaceStep step = race.next(); !step.block.empty(); step = race.next()) {
        CHECK(std::find(step.block.begin(), step.block.end(), 1) == step.block.end());
        race.add(step.block, simulation.block(step.block));
    }
    CHECK(race.racing() == std::vector<int>{0, 2});
}

TEST_CASE("A race of nobody is over at once and has no leader") {
    Race race({}, 1);
    CHECK(race.next().block.empty());
    CHECK(race.leader() == -1);
}

TEST_CASE("The same seed gives the same blocks") {
    const auto first_block = [](std::uint64_t seed) {
        Simulation simulation(ladder(), 0.001, 1);
        return Race(simulation.racers(), seed).next().block;
    };
    CHECK(first_block(1) == first_block(1));
    CHECK(first_block(1) != first_block(2));
}
