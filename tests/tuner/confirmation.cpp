#include "tests/catch.hpp"
#include "tests/tuner/bench.hpp"

using namespace fdkbench;

namespace {

/// Kernels of m = 1 are steady, those of m = 2 take turns in being faster and slower by `share`.
/// The first worker races.
auto turns(double share) {
    return [=](std::size_t worker, std::int64_t m) {
        return m == 1 ? 1 : worker % 2 == 0 ? 1 - share : 1 + share;
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

TEST_CASE("Cells take as many processes as were asked for, whether these agree or not") {
    TwoCells bench;
    bench.world.drift = turns(0.02);
    CHECK(bench.sweep().complete);
    CHECK(confirmations(bench, 1) == 8);
    CHECK(confirmations(bench, 2) == 8);
    CHECK(bench.world.count("worker") == 1 + 8);
    CHECK(bench.world.count("prepare m=2") == 1 + 8);
    CHECK(bench.sink.decisions.size() == 2);
    CHECK(plan_sweep(bench.options, bench.sink).unconfirmed == 0);
    bench.sweep();
    CHECK(bench.world.count("worker") == 1 + 8);
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

TEST_CASE("A sweep that is interrupted while it confirms goes on there") {
    TwoCells bench;
    bench.world.drift = turns(0.02);
    bench.world.on_block = [&] { bench.stop = bench.world.count("worker") == 1 + 5; };
    CHECK_FALSE(bench.sweep().complete);
    CHECK(bench.sink.decisions.empty());
    const int before = confirmations(bench, 2);
    CHECK(before >= 4);
    CHECK(before < 8);
    bench.world.on_block = [] {};
    bench.stop = false;
    CHECK(plan_sweep(bench.options, bench.sink).unconfirmed == 2);
    CHECK(bench.sweep().complete);
    CHECK(confirmations(bench, 1) == 8);
    CHECK(confirmations(bench, 2) == 8);
    CHECK(bench.world.count("worker") == 1 + 5 + 8 - static_cast<std::size_t>(before));
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
