#include "tests/catch.hpp"
#include "tests/tuner/bench.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

using namespace fdkbench;

TEST_CASE("Finalists are timed again in fresh processes, and the winner is then settled") {
    Bench bench;
    bench.options = fakes::sweep_options({1, 2}, {4});
    bench.options.confirmations = 2;
    bench.options.margin = 0.05;
    bench.world.energy_uj = 42;
    const SweepOutcome outcome = bench.sweep();
    CHECK(outcome.complete);
    CHECK(outcome.measured == 22);
    CHECK(bench.world.count("worker") == 3);
    CHECK(bench.world.count("prepare") == 2 * 3);
    CHECK(bench.sink.rows.size() == 22);
    int confirmed = 0;
    for (const fakes::Row& row : bench.sink.rows) {
        const Measurement& measurement = row.measurement;
        if (processes(measurement.samples) > 1) {
            ++confirmed;
            CHECK(processes(measurement.samples) == 3);
            CHECK(measurement.samples.size() >= 3 * 6);
            CHECK(measurement.energy_uj == 42.0);
        }
    }
    CHECK(confirmed == 2);
    CHECK(bench.world.count("energy") == 2);
    const auto is_energy = [](const std::string& event) { return event.starts_with("energy"); };
    const auto& all = bench.world.events;
    CHECK(std::count(all.begin(), std::ranges::find_if(all, is_energy), "worker") == 3);
    REQUIRE(bench.sink.decisions.size() == 2);
    CHECK(bench.sink.decisions[0].second == 0.05);
    const std::size_t events = bench.world.events.size();
    bench.sweep();
    CHECK(bench.world.events.size() == events);
}

TEST_CASE("What was measured but not confirmed is confirmed by the next sweep") {
    Bench bench;
    bench.sweep();
    bench.options.confirmations = 2;
    const SweepPlan plan = plan_sweep(bench.options, bench.sink);
    CHECK(plan.already_measured == plan.candidates);
    CHECK(plan.unconfirmed == 2);
    CHECK(bench.sweep().measured == 0);
    CHECK(plan_sweep(bench.options, bench.sink).unconfirmed == 0);
}

TEST_CASE("A finalist that does not end in one confirming process keeps its row") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.times_us = {{"-DFDK_TILE=4", 50}};
    bench.sweep();
    bench.options.confirmations = 2;
    bench.world.dies_once_in_check = {"-DFDK_TILE=4"};
    bench.sweep();
    CHECK(bench.world.dies_once_in_check.empty());
    const Measurement& winner = bench.sink.row("-DFDK_TILE=4").measurement;
    CHECK(winner.status == CandidateStatus::kCorrect);
    CHECK(processes(winner.samples) == 3);
}

TEST_CASE("A finalist whose code has changed since is not confirmed with the new code") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.sweep();
    for (fakes::Row& row : bench.sink.rows) {
        row.hash = "of another compiler";
    }
    bench.options.confirmations = 2;
    bench.sweep();
    for (const fakes::Row& row : bench.sink.rows) {
        if (row.hash == "of another compiler") {
            CHECK(processes(row.measurement.samples) == 1);
        }
    }
}

TEST_CASE("Blocks on a throttled device are timed again, and after too many the status says so") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    Conditions capped;
    capped.throttle_reasons = {"sw_power_cap"};
    capped.power_w = 700;
    SECTION("a few") {
        bench.world.conditions.assign(2, capped);
        bench.sweep();
        CHECK(bench.rows_with(CandidateStatus::kCorrect) == 5);
        int discarded = 0;
        for (const fakes::Row& row : bench.sink.rows) {
            discarded += row.measurement.discarded;
            CHECK(row.measurement.samples.size() >= 6);
            CHECK(row.measurement.power_w == 700.0);
        }
        CHECK(discarded == 5 + 2);  // the block of five, then one half of it
    }
    SECTION("all") {
        bench.world.conditions.assign(1000, capped);
        bench.sweep();
        CHECK(bench.rows_with(CandidateStatus::kThrottled) == 5);
        for (const fakes::Row& row : bench.sink.rows) {
            CHECK_THAT(row.measurement.message, ContainsSubstring("sw_power_cap"));
            CHECK_FALSE(row.measurement.time_us.has_value());
        }
    }
    SECTION("allowed") {
        bench.options.policy.allow_throttling = true;
        bench.world.conditions.assign(1000, capped);
        bench.sweep();
        CHECK(bench.rows_with(CandidateStatus::kCorrect) == 5);
    }
}

TEST_CASE("Two devices share the cells, and the slower one is reported") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({1, 2}, {1, 2, 4, 8}));
    fakes::World second_world;
    fakes::MemorySink second_sink;
    SweepOptions second = bench.options;
    second.device.id = "fake:1";
    second_world.baseline_us = 110;
    const auto take_time = [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
    bench.world.on_block = take_time;
    second_world.on_block = take_time;
    std::vector<SweepLane> lanes{{bench.options, bench.world.factory(), bench.sink},
                                 {second, second_world.factory(), second_sink}};
    const SweepPlan plan = plan_sweep(bench.options, bench.sink);
    const SweepOutcome outcome = run_sweep(lanes, plan, bench.listener, bench.stop);
    CHECK(outcome.complete);
    CHECK(outcome.measured == plan.candidates);
    REQUIRE(outcome.seconds.size() == 2);
    CHECK(outcome.seconds[0].race >= bench.world.count("block") * 0.002);
    CHECK(outcome.seconds[1].race >= second_world.count("block") * 0.002);
    CHECK(bench.sink.rows.size() + second_sink.rows.size() == plan.candidates);
    CHECK(bench.sink.rows.size() > 0);
    CHECK(second_sink.rows.size() > 0);
    for (const fakes::Row& row : bench.sink.rows) {
        for (const fakes::Row& other : second_sink.rows) {
            CHECK(row.candidate.problem != other.candidate.problem);
        }
    }
    REQUIRE(bench.listener.warnings.size() == 1);
    CHECK_THAT(bench.listener.warnings[0],
               ContainsSubstring("fake:1") && ContainsSubstring("10 %"));
}

TEST_CASE("A lane ends when a worker that is started again has another device") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({1, 2}, {1, 2, 4, 8}));
    DeviceInfo other;
    SECTION("of the same kind") {
        other.uuid = "GPU-b";
    }
    SECTION("of another kind") {
        other.key = "another GPU";
    }
    bench.world.devices[2] = other;
    bench.world.check_results["fake_mm"] = CandidateStatus::kRuntime;
    fakes::World second_world;
    fakes::MemorySink second_sink;
    SweepOptions second = bench.options;
    second.device.id = "fake:1";
    const auto take_time = [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
    second_world.on_block = take_time;
    std::vector<SweepLane> lanes{{bench.options, bench.world.factory(), bench.sink},
                                 {second, second_world.factory(), second_sink}};
    const SweepPlan plan = plan_sweep(bench.options, bench.sink);
    const SweepOutcome outcome = run_sweep(lanes, plan, bench.listener, bench.stop);
    CHECK(outcome.changed == std::vector<std::string>{"fake:0"});
    REQUIRE(bench.listener.warnings.size() == 1);
    CHECK_THAT(bench.listener.warnings[0],
               ContainsSubstring("fake:0") && ContainsSubstring(other.uuid) &&
                   ContainsSubstring(other.key));
    CHECK(bench.world.count("worker") == 2);
    CHECK(bench.world.count("check") == 1);
    CHECK(bench.sink.rows.size() == 1);
    CHECK(second_sink.rows.size() > 10);
}

TEST_CASE("A worker without the sweep's device measures nothing from the start") {
    Bench bench;
    bench.options.device.uuid = "GPU-a";
    CHECK(bench.sweep().changed.size() == 1);
    CHECK(bench.world.count("prepare") == 0);
    bench.options.device.uuid = "";
    bench.options.device_index = 1;
    CHECK(bench.sweep().changed.size() == 1);
    CHECK(bench.world.count("prepare") == 0);
}

TEST_CASE("Devices of a sweep that is out of time are not even opened") {
    Bench bench;
    bench.options.deadline = std::chrono::steady_clock::now();
    fakes::MemorySink second_sink;
    std::vector<SweepLane> lanes{{bench.options, bench.world.factory(), bench.sink},
                                 {bench.options, bench.world.factory(), second_sink}};
    const SweepPlan plan = plan_sweep(bench.options, bench.sink);
    CHECK_FALSE(run_sweep(lanes, plan, bench.listener, bench.stop).complete);
    CHECK(bench.world.events.empty());
}

TEST_CASE("Other programs on the device are reported once") {
    Bench bench;
    bench.options.confirmations = 1;
    SECTION("several") {
        bench.world.compute_processes = 3;
        bench.sweep();
        REQUIRE(bench.listener.warnings.size() == 1);
        CHECK_THAT(bench.listener.warnings[0],
                   ContainsSubstring("fake:0") && ContainsSubstring("2 other processes") &&
                       ContainsSubstring("may be disturbed"));
    }
    SECTION("one") {
        bench.world.compute_processes = 2;
        bench.sweep();
        REQUIRE(bench.listener.warnings.size() == 1);
        CHECK_THAT(bench.listener.warnings[0], ContainsSubstring("1 other process at"));
    }
    SECTION("none, or nobody can tell") {
        bench.world.compute_processes =
            GENERATE(std::optional<int>(), std::optional(0), std::optional(1));
        bench.sweep();
        CHECK(bench.listener.warnings.empty());
    }
}
