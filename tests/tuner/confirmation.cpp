#include "tuner/confirmation.hpp"

#include "tests/catch.hpp"
#include "tests/tuner/bench.hpp"

using namespace fdkbench;

namespace {

/// Kernels of m = 1 are steady, those of m = 2 take turns in being faster and slower by `share`;
/// from worker `until` on they are steady as well. The first worker races.
auto turns(double share, std::size_t until = 1000) {
    return [=](std::size_t worker, std::int64_t m) {
        return m == 1 || worker >= until ? 1 : worker % 2 == 0 ? 1 - share : 1 + share;
    };
}

struct TwoCells : Bench {
    TwoCells() {
        options.confirmations = 8;
        world.noise = 1e-4;
    }
};

/// That confirmed the cell's winner.
int confirmations(const Bench& bench, std::int64_t m) {
    int most = 0;
    for (const fakes::Row& row : bench.sink.rows) {
        if (row.candidate.problem.shape.m == m) {
            most = std::max(most, processes(row.measurement.samples) - 1);
        }
    }
    return most;
}

}  // namespace

TEST_CASE("A cell in which processes agree takes as many as were asked for") {
    TwoCells bench;
    bench.world.drift = turns(0.003);
    CHECK(bench.sweep().complete);
    CHECK(confirmations(bench, 1) == 8);
    CHECK(confirmations(bench, 2) == 8);
    CHECK(bench.world.count("worker") == 1 + 8);
    CHECK(bench.world.count("prepare m=2") == 1 + 8);
}

TEST_CASE("Confirmations time the baselines that were close in the race, and no floor") {
    TwoCells bench;
    bench.options.confirmations = 2;
    bench.world.close_baselines = {"first", "best"};
    bench.world.on_block = [&] {  // what confirmations find close changes nothing
        if (bench.world.count("worker") > 1) {
            bench.world.close_baselines = {"first"};
        }
    };
    bench.sweep();
    REQUIRE(bench.world.prepares.size() == 2 + 2 * 2);
    for (std::size_t i = 0; i < bench.world.prepares.size(); ++i) {
        const protocol::PrepareRequest& request = bench.world.prepares[i];
        const bool confirms = i >= 2;
        CHECK(request.floor == !confirms);
        CHECK(request.baselines ==
              (confirms ? std::vector<std::string>{"first", "best"} : std::vector<std::string>()));
    }
    for (const fakes::Row& row : bench.sink.rows) {
        CHECK(row.measurement.floor_us == 20);
    }
}

TEST_CASE("A sweep that only confirms times all baselines in its first process") {
    Bench bench;
    bench.sweep();
    bench.options.confirmations = 2;
    bench.world.close_baselines = {"first"};
    bench.world.prepares.clear();
    bench.sweep();
    REQUIRE(bench.world.prepares.size() == 2 * 2);
    for (std::size_t i = 0; i < bench.world.prepares.size(); ++i) {
        CHECK(bench.world.prepares[i].baselines.size() == (i < 2 ? 0 : 1));
    }
}

TEST_CASE("A cell in which processes disagree takes more of them, the others of the sweep do not") {
    TwoCells bench;
    bench.world.drift = turns(0.006, 1 + 1 + 8);
    CHECK(bench.sweep().complete);
    CHECK(confirmations(bench, 1) == 8);
    CHECK(confirmations(bench, 2) == 16);
    CHECK(bench.world.count("worker") == 1 + 16);
    CHECK(bench.world.count("prepare m=1") == 1 + 8);
    CHECK(bench.sink.decisions.size() == 2);
}

TEST_CASE("A cell in which processes never agree takes 24, and no more in the next sweep") {
    TwoCells bench;
    bench.world.drift = [](std::size_t worker, std::int64_t m) {
        return m == 1 ? 1 : 1 + 0.03 * static_cast<double>(worker % 4);
    };
    CHECK(bench.sweep().complete);
    CHECK(confirmations(bench, 1) == 8);
    CHECK(confirmations(bench, 2) == 24);
    CHECK(bench.world.count("worker") == 1 + 24);
    CHECK(plan_sweep(bench.options, bench.sink).unconfirmed == 0);
    bench.sweep();
    CHECK(bench.world.count("worker") == 1 + 24);
}

TEST_CASE("A quick sweep takes no more processes than it is told, however they disagree") {
    TwoCells bench;
    bench.options.quick = true;
    bench.options.confirmations = 3;
    bench.world.drift = turns(0.02);
    bench.sweep();
    CHECK(confirmations(bench, 1) == 3);
    CHECK(confirmations(bench, 2) == 3);
}

TEST_CASE("A sweep that is interrupted among the further processes goes on there") {
    TwoCells bench;
    bench.world.drift = turns(0.02);
    bench.world.on_block = [&] { bench.stop = bench.world.count("worker") == 1 + 12; };
    CHECK_FALSE(bench.sweep().complete);
    CHECK(bench.sink.decisions.empty());
    const int before = confirmations(bench, 2);
    CHECK(before >= 11);
    CHECK(before < 24);
    bench.world.on_block = [] {};
    bench.stop = false;
    CHECK(plan_sweep(bench.options, bench.sink).unconfirmed == 1);
    CHECK(bench.sweep().complete);
    CHECK(confirmations(bench, 1) == 8);
    CHECK(confirmations(bench, 2) == 24);
    CHECK(bench.world.count("worker") == 1 + 12 + 24 - static_cast<std::size_t>(before));
}

TEST_CASE("A cell on a device that is too busy to confirm it is given up after three processes") {
    Bench bench;
    bench.options = fakes::sweep_options({16}, {4});
    bench.options.confirmations = 8;
    Conditions capped;
    capped.throttle_reasons = {"sw_power_cap"};
    bench.world.on_block = [&] {
        if (bench.world.count("worker") > 1) {
            bench.world.conditions = {capped};
        }
    };
    CHECK(bench.sweep().complete);
    CHECK(bench.world.count("worker") == 1 + 3);
    CHECK(confirmations(bench, 16) == 0);
    CHECK(bench.rows_with(CandidateStatus::kCorrect) == 5);
    CHECK(bench.sink.decisions.size() == 1);
}

namespace {

/// Has three kernels that tie, from so many processes, with these half-widths.
class Tied final : public fakes::MemorySink {
  public:
    Tied(int processes, const std::vector<double>& half_widths) {
        for (std::size_t i = 0; i < half_widths.size(); ++i) {
            Measurement measurement;
            measurement.ratio = i == 1 ? 2.01 : 2;  // the second one leads
            measurement.ratio_lo = *measurement.ratio * (1 - half_widths[i]);
            measurement.ratio_hi = *measurement.ratio * (1 + half_widths[i]);
            for (int process = 0; process < processes; ++process) {
                measurement.samples.push_back({10, 20, 20, process});
            }
            finalists_.push_back({"fake_mm", {}, "hash", measurement});
        }
        processes_ = processes;
    }
    std::vector<Finalist> unconfirmed(const Problem& /*problem*/, int processes) override {
        return processes_ < processes ? finalists_ : std::vector<Finalist>();
    }
    /// How many are in doubt, and what their winner is to rest on.
    std::pair<std::size_t, int> doubt(int confirmations = 8) {
        const std::size_t count =
            finalists_in_doubt(*this, fakes::sweep_options({1}, {4}), {}, confirmations).size();
        return {count, confirmations};
    }

  private:
    std::vector<Finalist> finalists_;
    int processes_ = 0;
};

using Doubt = std::pair<std::size_t, int>;

}  // namespace

TEST_CASE("All that tie are timed again when the winner's or the leader's interval is wide") {
    CHECK(Tied(9, {0.003, 0.003, 0.003}).doubt() == Doubt{0, 8});
    CHECK(Tied(9, {0.005, 0.003, 0.003}).doubt() == Doubt{3, 16});
    CHECK(Tied(9, {0.003, 0.005, 0.003}).doubt() == Doubt{3, 16});
    CHECK(Tied(9, {0.003, 0.003, 0.005}).doubt() == Doubt{0, 8});
}

TEST_CASE("Processes are doubled from what there is, and intervals not looked at in between") {
    CHECK(Tied(8, {0.003, 0.003}).doubt() == Doubt{2, 8});
    CHECK(Tied(12, {0.003, 0.003}).doubt(16) == Doubt{2, 16});
    CHECK(Tied(5, {0.005, 0.005}).doubt(4) == Doubt{2, 8});
    CHECK(Tied(7, {0.005, 0.005}).doubt(4) == Doubt{2, 12});
    CHECK(Tied(11, {0.005, 0.005}).doubt() == Doubt{2, 20});
    CHECK(Tied(17, {0.005, 0.005}).doubt() == Doubt{2, 24});
    CHECK(Tied(25, {0.005, 0.005}).doubt() == Doubt{0, 8});
}
