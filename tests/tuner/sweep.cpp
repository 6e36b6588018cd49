#include "tests/catch.hpp"
#include "tests/tuner/bench.hpp"

#include <algorithm>

using namespace fdkbench;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("A sweep records every candidate with its time, ratio and rates") {
    Bench bench;
    bench.world.times_us["-DFDK_TILE=1 "] = 40;
    const SweepOutcome outcome = bench.sweep();
    CHECK(outcome.complete);
    CHECK(outcome.measured == 22);
    CHECK(outcome.statuses.at(CandidateStatus::kCorrect) == 22);
    CHECK(bench.world.compiles == 11);
    CHECK(bench.world.count("worker") == 1);
    CHECK(bench.world.count("prepare") == 2);
    REQUIRE(bench.sink.rows.size() == 22);
    for (const fakes::Row& row : bench.sink.rows) {
        const Measurement& measurement = row.measurement;
        const double time_us = measurement.time_us.value();
        CHECK(row.hash.has_value());
        CHECK(measurement.samples.size() >= 1);
        CHECK(measurement.ratio.value() == Approx(100 / time_us).epsilon(0.02));
        CHECK(measurement.ratio_lo.has_value() == (measurement.samples.size() > 1));
        CHECK(measurement.baseline_us.value() == Approx(100).epsilon(0.02));
        CHECK(measurement.baseline_first_us.value() == Approx(110).epsilon(0.02));
        const Problem& problem = row.candidate.problem;
        CHECK(measurement.gb_s.value() ==
              Approx(static_cast<double>(problem.bytes_moved()) / (time_us * 1e-6) / 1e9));
        CHECK(measurement.tflop_s.value() == Approx(problem.flops() / (time_us * 1e-6) / 1e12));
        CHECK(measurement.floor_pct.value() == Approx(100 * 20 / time_us));
        CHECK(measurement.accuracy->nrmse == 0.001);
    }
    REQUIRE(bench.listener.leaders.size() == 2);
    CHECK(bench.listener.leaders[0]->ratio == Approx(2.5).epsilon(0.02));
    CHECK(bench.listener.leaders[0]->params.number("tile") == 1);
}

TEST_CASE("Kernels get the weights in the layout of their family, which 16 bits do not have") {
    Bench bench;
    bench.options = fakes::sweep_options({1}, {GENERATE(4, 16)});
    const bool quantised = bench.options.problems.front().format.quantised();
    bench.sweep();
    REQUIRE(bench.world.layouts.size() == 11);
    for (const auto& [kernel, layout] : bench.world.layouts) {
        CAPTURE(kernel);
        const bool fragments = quantised && kernel.starts_with("fake_mv");
        CHECK(layout == (fragments ? Layout::kFragment : Layout::kCanonical));
    }
    for (const fakes::Row& row : bench.sink.rows) {
        CHECK(row.candidate.layout == (quantised && row.candidate.family == "fake_mv"
                                           ? Layout::kFragment
                                           : Layout::kCanonical));
    }
}

TEST_CASE("A second sweep starts no process, and a forced one measures everything again") {
    Bench bench;
    bench.world.compile_failures = {"-DFDK_TILE=32"};
    bench.sweep();
    const std::size_t events = bench.world.events.size();
    const SweepOutcome again = bench.sweep();
    CHECK(again.complete);
    CHECK(again.measured == 0);
    CHECK(bench.world.events.size() == events);
    CHECK(bench.world.compiles == 11);
    bench.options.force = true;
    CHECK(bench.sweep().measured == 22);
}

TEST_CASE("Candidates that compile to the same kernel are measured once") {
    Bench bench;
    bench.world.same_code = {"fake_mm"};
    const SweepOutcome outcome = bench.sweep();
    CHECK(outcome.measured == 2 * (3 + 6));  // tiles 1, 2 and 4 differ in the grid
    CHECK(bench.listener.known == 2 * 2);
    CHECK(bench.sweep().measured == 0);
}

TEST_CASE("A new compiler that gives the same machine code measures nothing again") {
    Bench bench;
    bench.sweep();
    bench.options.compiler = "fakec 2.0";
    CHECK(bench.sweep().measured == 0);
    CHECK(bench.world.compiles == 22);
    CHECK(bench.listener.known == 22);
}

TEST_CASE("A compile failure is a row, and stays one") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.compile_failures = {"-DFDK_TILE=4"};
    const SweepOutcome outcome = bench.sweep();
    CHECK(outcome.measured == 5);
    const fakes::Row& row = bench.sink.row("-DFDK_TILE=4");
    CHECK(row.measurement.status == CandidateStatus::kCompile);
    CHECK(row.measurement.message == "error: the test wants it");
    CHECK_FALSE(row.hash.has_value());
    CHECK_FALSE(row.measurement.time_us.has_value());
    CHECK(bench.sweep().measured == 0);
}

TEST_CASE("A candidate that fails its check is a row and is not timed") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.check_results = {{"-DFDK_TILE=4", CandidateStatus::kCorrectness}};
    bench.sweep();
    const fakes::Row& row = bench.sink.row("-DFDK_TILE=4");
    CHECK(row.measurement.status == CandidateStatus::kCorrectness);
    CHECK(row.measurement.message == "as the test wishes");
    CHECK(row.measurement.samples.empty());
    CHECK(bench.rows_with(CandidateStatus::kCorrect) == 4);
}

TEST_CASE("Every worker that dies in a check costs that candidate only") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.dies_in_check = {"-DFDK_TILE=1", "-DFDK_TILE=2 -DFDK_WARPS=8", "-DFDK_TILE=4"};
    const SweepOutcome outcome = bench.sweep();
    CHECK(outcome.complete);
    CHECK(outcome.measured == 5);
    CHECK(outcome.statuses.at(CandidateStatus::kTimeout) == 4);
    CHECK(bench.rows_with(CandidateStatus::kCorrect) == 1);
    const Measurement& measurement = bench.sink.row("-DFDK_TILE=4").measurement;
    CHECK(measurement.status == CandidateStatus::kTimeout);
    CHECK_THAT(measurement.message, ContainsSubstring("no answer"));
    CHECK(bench.world.count("worker") == 5);
}

TEST_CASE("A worker that ends after an answer is started again") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.check_results = {{"-DFDK_TILE=1", CandidateStatus::kRuntime}};
    bench.sweep();
    CHECK(bench.rows_with(CandidateStatus::kRuntime) == 2);
    CHECK(bench.rows_with(CandidateStatus::kCorrect) == 3);
    CHECK(bench.world.count("worker") == 3);
}

TEST_CASE("A worker that dies in a block costs the candidate that it was timing, and no other") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.dies_in_block = {"-DFDK_TILE=4"};
    const SweepOutcome outcome = bench.sweep();
    CHECK(outcome.complete);
    CHECK(bench.rows_with(CandidateStatus::kCorrect) == 4);
    CHECK(bench.sink.row("-DFDK_TILE=4").measurement.status == CandidateStatus::kRuntime);
    CHECK(bench.world.count("worker") == 2);
    CHECK(bench.sweep().measured == 0);
}

TEST_CASE("A kernel that does not end in a race after all gets a second chance, not a third") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.death = CandidateStatus::kTimeout;
    SECTION("it ends then") {
        bench.world.dies_once_in_block = {"-DFDK_TILE=4"};
        bench.sweep();
        CHECK(bench.rows_with(CandidateStatus::kCorrect) == 5);
        CHECK(bench.world.count("worker") == 2);
    }
    SECTION("it does not") {
        bench.world.dies_in_block = {"-DFDK_TILE=4"};
        bench.sweep();
        CHECK(bench.rows_with(CandidateStatus::kCorrect) == 4);
        CHECK(bench.sink.row("-DFDK_TILE=4").measurement.status == CandidateStatus::kTimeout);
        CHECK(bench.world.count("worker") == 3);
    }
}

TEST_CASE("A death with nobody to blame costs no candidate") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.announces_slots = false;
    bench.world.dies_once_in_block = {"-DFDK_TILE=4"};
    bench.sweep();
    CHECK(bench.rows_with(CandidateStatus::kCorrect) == 5);
    CHECK(bench.world.count("worker") == 2);
}

TEST_CASE("A worker that dies three times with nobody to blame ends the sweep") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    SECTION("while it prepares") {
        bench.world.dies_in_prepare = true;
    }
    SECTION("in blocks") {
        bench.world.announces_slots = false;
        bench.world.dies_in_block = {"FDK"};
    }
    CHECK_THROWS_AS(bench.sweep(), EnvironmentError);
    CHECK(bench.world.count("worker") == 3);
    CHECK_THROWS_WITH(bench.sweep(), ContainsSubstring("3 times with no candidate to blame"));
}

TEST_CASE("A kernel that took the machine down twice is not run again") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.sweep();
    const fakes::Row suspect = bench.sink.row("-DFDK_TILE=4");
    bench.sink.rows.clear();
    bench.sink.crashes[*suspect.hash] = 2;
    bench.world.events.clear();
    bench.sweep();
    CHECK(bench.world.count("check") == 4);
    CHECK(bench.sink.row("-DFDK_TILE=4").measurement.status == CandidateStatus::kRuntime);
    CHECK_THAT(bench.sink.row("-DFDK_TILE=4").measurement.message,
               ContainsSubstring("the machine went down 2 times"));
}

TEST_CASE("Every attempt that the sweep outlives is taken out of the journal") {
    Bench bench;
    bench.world.dies_in_check = {"-DFDK_TILE=1"};
    bench.sweep();
    CHECK(bench.sink.attempts.empty());
}

TEST_CASE("A check is given less time once others have shown how long it takes") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.dies_in_check = {"FDK"};
    bench.sweep();
    CHECK(bench.world.last_limit == std::chrono::seconds{30});
    bench.world.dies_in_check.clear();
    bench.options.force = true;
    bench.sweep();
    CHECK(bench.world.last_limit == std::chrono::seconds{5});
    bench.options.timeouts.candidate = std::chrono::seconds{2};
    bench.sweep();
    CHECK(bench.world.last_limit == std::chrono::seconds{2});
}

TEST_CASE("A cell that the device has no room for is left out, and the sweep ends normally") {
    Bench bench;
    bench.world.prepare_errors.emplace(1, EnvironmentError("needs 9 GiB, 8 GiB are free"));
    const SweepOutcome outcome = bench.sweep();
    CHECK(outcome.complete);
    CHECK(outcome.measured == 11);
    REQUIRE(outcome.left_out.size() == 1);
    CHECK(outcome.left_out[0] ==
          to_string(bench.options.problems[0]) + ": needs 9 GiB, 8 GiB are free");
    REQUIRE(bench.listener.warnings.size() == 1);
    CHECK_THAT(bench.listener.warnings[0], ContainsSubstring(outcome.left_out[0]));

    bench.world.prepare_errors.emplace(2, EnvironmentError("another"));
    bench.options.force = true;
    const SweepOutcome nothing = bench.sweep();
    CHECK(nothing.complete);
    CHECK(nothing.measured == 0);
    CHECK(nothing.left_out.size() == 2);
}

TEST_CASE("On a GPU compiling overlaps measuring, on the host it never does") {
    Bench bench;
    bench.sweep();
    CHECK(bench.world.overlaps > 0);

    Bench host;
    host.options.device.backend = "host";
    host.options.include = "^fake_host$";
    host.options.problems.push_back({{1, 32, 64}, {4, 32}, ElementType::kBf16});
    const SweepOutcome outcome = host.sweep();
    CHECK(outcome.measured == 3 * 4);
    CHECK(host.world.compiles == 2 * 4);
    CHECK(host.world.overlaps == 0);
}

TEST_CASE("A stopped sweep keeps no candidate of a race that has only begun") {
    Bench bench;
    bench.world.times_us["-DFDK_TILE=1 "] = 400;  // hopeless: out of the race after one sample
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    std::size_t blocks = 0;
    bench.world.on_block = [&] { bench.stop = ++blocks > 2; };
    const SweepOutcome outcome = bench.sweep();
    CHECK_FALSE(outcome.complete);
    CHECK(outcome.measured == 2);
    CHECK(bench.world.samples > 2);
    for (const fakes::Row& row : bench.sink.rows) {
        CHECK(row.candidate.params.number("tile") == 1);
        CHECK(row.measurement.samples.size() == 1);
    }

    bench.stop = false;
    bench.world.on_block = [] {};
    const SweepOutcome rest = bench.sweep();
    CHECK(rest.complete);
    CHECK(rest.measured == 3);
}

TEST_CASE("A stopped sweep keeps the candidates that have the fewest samples of a whole race") {
    Bench bench;
    bench.options = without_confirmations(fakes::sweep_options({16}, {4}));
    bench.world.noise = 0.05;  // no race is over before its last round
    std::size_t blocks = 0;
    SECTION("the rounds that every race has") {
        bench.world.on_block = [&] { bench.stop = ++blocks >= 6; };
        CHECK(bench.sweep().measured == 5);
        CHECK(bench.rows_with(CandidateStatus::kCorrect) == 5);
        bench.stop = false;
        CHECK(bench.sweep().measured == 0);
    }
    SECTION("a round less") {
        bench.world.on_block = [&] { bench.stop = ++blocks >= 5; };
        bench.sweep();
        for (const fakes::Row& row : bench.sink.rows) {
            CHECK(row.measurement.status == CandidateStatus::kCorrect);
        }
        CHECK(bench.sink.rows.size() < 5);
    }
}

TEST_CASE("A sweep that is out of time ends incomplete") {
    Bench bench;
    bench.options.deadline = std::chrono::steady_clock::now();
    const SweepOutcome outcome = bench.sweep();
    CHECK_FALSE(outcome.complete);
    CHECK(outcome.measured == 0);
    CHECK(bench.world.count("worker") == 0);
}
