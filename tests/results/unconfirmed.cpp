#include "results/stored_rows.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <algorithm>

using namespace fdkbench;

namespace {

constexpr int kProcesses = 3;

Measurement with_processes(Measurement measurement, int processes) {
    int next = 0;
    for (Sample& sample : measurement.samples) {
        sample.process = next++ % processes;
    }
    return measurement;
}

/// Confirmed as often as the tests ask for.
Measurement confirmed(double ratio, int registers = 64) {
    return with_processes(correct(ratio, registers, 18), kProcesses);
}

struct Fixture {
    Fixture() { store.begin_run(fictional_run()); }
    void add(int warps, const Measurement& measurement) {
        store.add(candidate(warps), hash_of(candidate(warps)), measurement);
    }
    /// Warps of the rows to confirm.
    [[nodiscard]] std::vector<std::int64_t> unconfirmed(int processes = kProcesses) const {
        std::vector<std::int64_t> warps;
        for (const StoredRow& row : unconfirmed_rows(store, small_problem(), processes)) {
            warps.push_back(row.params.number("warps"));
        }
        return warps;
    }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

using Warps = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("A cell without a winner has nothing to confirm") {
    Fixture fixture;
    CHECK(fixture.unconfirmed().empty());
    fixture.add(1, failed(CandidateStatus::kCorrectness));
    CHECK(fixture.unconfirmed().empty());
    fixture.store.begin_attempt(candidate(2), "hash");
    CHECK(fixture.unconfirmed().empty());
}

TEST_CASE("An unconfirmed winner is confirmed with those that tie with it") {
    Fixture fixture;
    fixture.add(1, correct(2.0, 64, 6));
    CHECK(fixture.unconfirmed() == Warps{1});
    CHECK(fixture.unconfirmed(1).empty());
    fixture.add(2, correct(1.99, 32, 6));
    fixture.add(4, correct(1.5, 8, 6));
    fixture.add(8, correct(1.99, 8, 5));
    CHECK(fixture.unconfirmed() == Warps{2, 1});
}

TEST_CASE("At most four that tie are confirmed, and the leader") {
    Fixture fixture;
    fixture.add(1, correct(2.0, 128, 6));
    for (const int warps : {2, 4, 8, 16, 32}) {
        fixture.add(warps, correct(1.99, warps, 6));
    }
    CHECK(fixture.unconfirmed() == Warps{2, 4, 8, 16, 1});
}

TEST_CASE("Those that are confirmed already need no further process") {
    Fixture fixture;
    fixture.add(1, confirmed(2.0, 64));
    fixture.add(2, with_processes(correct(1.99, 32, 12), 2));
    CHECK(fixture.unconfirmed() == Warps{2});
    CHECK(fixture.unconfirmed(2).empty());
    fixture.add(2, confirmed(1.99, 32));
    CHECK(fixture.unconfirmed().empty());
    CHECK(fixture.unconfirmed(4) == Warps{2, 1});
}

TEST_CASE("A later row that would beat the confirmed winner makes it doubtful") {
    Fixture fixture;
    fixture.add(1, confirmed(2.0));
    fixture.add(2, correct(2.0, 8, 6));
    fixture.add(4, correct(2.01, 8, 6));
    CHECK(fixture.unconfirmed().empty());  // it would tie at best
    fixture.add(8, correct(2.05, 8, 5));
    CHECK(fixture.unconfirmed().empty());  // it left its race early
    fixture.add(16, correct(2.03, 128, 6));
    fixture.add(32, correct(2.04, 128, 6));
    CHECK(fixture.unconfirmed() == Warps{32, 16});
    fixture.add(64, correct(2.05, 128, 6));
    fixture.add(128, correct(2.06, 128, 6));
    CHECK(fixture.unconfirmed() == Warps{128, 64, 32, 16});
    fixture.add(256, correct(2.07, 128, 6));
    CHECK(fixture.unconfirmed() == Warps{256, 128, 64, 32});
    fixture.add(256, failed(CandidateStatus::kCorrectness));

    SECTION("until it was timed in another process itself") {
        fixture.add(128, with_processes(correct(1.9, 128, 12), 2));
        CHECK(fixture.unconfirmed() == Warps{64, 32, 16});
    }
    SECTION("or is found to be wrong") {
        for (const int warps : {16, 32, 64, 128}) {
            fixture.add(warps, failed(CandidateStatus::kCorrectness));
        }
        CHECK(fixture.unconfirmed().empty());
    }
}

TEST_CASE("A later row within the margin of the incumbent is not worth confirming") {
    Fixture fixture;
    fixture.add(1, confirmed(2.0));
    fixture.store.decide(small_problem(), 0.05, 3);
    fixture.add(2, correct(2.09, 8, 6));
    CHECK(fixture.unconfirmed().empty());
    fixture.add(4, correct(2.11, 8, 6));
    CHECK(fixture.unconfirmed() == Warps{4});
}

TEST_CASE("A leader timed in fewer processes does not put a confirmed winner in doubt") {
    Fixture fixture;
    const auto wide = [](Measurement measurement) {
        measurement.ratio_lo = 1.9;
        measurement.ratio_hi = 2.1;
        return measurement;
    };
    fixture.add(1, wide(confirmed(2.0, 8)));
    fixture.add(2, wide(with_processes(correct(2.04, 64, 12), 2)));
    CHECK(value(fixture.store, "SELECT ratio || ' ' || tied FROM best") == "2.0 2");
    CHECK(fixture.unconfirmed().empty());
}

TEST_CASE("Other cells, devices and policies are not confirmed") {
    Fixture fixture;
    fixture.add(1, correct(2.0, 64, 6));
    CHECK(unconfirmed_rows(fixture.store, small_problem(4), kProcesses).empty());
    RunRecord other = fictional_run();
    other.policy.seed = 7;
    fixture.store.select(other.device, other.policy);
    CHECK(fixture.unconfirmed().empty());
    fixture.store.select(fictional_run("Another").device, fictional_run().policy);
    CHECK(fixture.unconfirmed().empty());
    fixture.store.select(fictional_run().device, fictional_run().policy);
    CHECK(fixture.unconfirmed() == Warps{1});
}

namespace {

/// A measurement in which no two values are equal.
Measurement distinct() {
    Measurement stored = correct(2.0, 64, 6);
    stored.power_w = 612.5;
    stored.temperature_c = 71;
    stored.energy_uj = 1234.5;
    stored.discarded = 3;
    stored.repeatable = false;
    stored.resources = KernelResources{64, 1024, 48};
    for (std::size_t i = 0; i < stored.samples.size(); ++i) {
        stored.samples[i] = {10.0 + static_cast<double>(i),
                             20.0 + static_cast<double>(i),
                             30.0 + static_cast<double>(i),
                             static_cast<int>(i / 4),
                             i == 1 ? std::nullopt : std::optional<double>(1980.0 - 15.0 * i)};
    }
    return stored;
}

void check_samples(const std::vector<Sample>& found, const std::vector<Sample>& stored) {
    REQUIRE(found.size() == stored.size());
    for (std::size_t i = 0; i < stored.size(); ++i) {
        CHECK(found[i].time_us == stored[i].time_us);
        CHECK(found[i].baseline_before_us == stored[i].baseline_before_us);
        CHECK(found[i].baseline_after_us == stored[i].baseline_after_us);
        CHECK(found[i].process == stored[i].process);
        CHECK(found[i].sm_clock_mhz == stored[i].sm_clock_mhz);
    }
}

void check_values(const Measurement& found, const Measurement& stored) {
    CHECK(found.status == stored.status);
    CHECK(found.message == stored.message);
    CHECK(found.accuracy->rmse == 0.001);
    CHECK(found.accuracy->nrmse == 0.002);
    CHECK(found.accuracy_original->rmse == 0.01);
    CHECK(found.accuracy_original->nrmse == 0.1);
    CHECK(found.repeatable == stored.repeatable);
    CHECK(found.resources->registers == 64);
    CHECK(found.resources->shared_bytes == 1024);
    CHECK(found.resources->local_bytes == 48);
    CHECK(found.time_us == stored.time_us);
    CHECK(found.ratio == stored.ratio);
    CHECK(found.ratio_lo == stored.ratio_lo);
    CHECK(found.ratio_hi == stored.ratio_hi);
    CHECK(found.baseline_us == stored.baseline_us);
    CHECK(found.baseline_first_us == stored.baseline_first_us);
    CHECK(found.gb_s == stored.gb_s);
    CHECK(found.tflop_s == stored.tflop_s);
    CHECK(found.floor_us == stored.floor_us);
    CHECK(found.floor_pct == stored.floor_pct);
    CHECK(found.power_w == stored.power_w);
    CHECK(found.temperature_c == stored.temperature_c);
    CHECK(found.energy_uj == stored.energy_uj);
    CHECK(found.discarded == stored.discarded);
}

}  // namespace

TEST_CASE("Two sweeps that confirm a row at the same time keep the samples of both") {
    Fixture fixture;
    Store other = Store::open(fixture.folder / "a.db");
    other.begin_run(fictional_run());
    fixture.add(1, correct(3));
    const auto read = [](const Store& store) {
        return kernel_row(store, small_problem(), hash_of(candidate(1)), candidate(1).plan)
            .value()
            .measurement;
    };
    const auto confirm = [](Measurement row, double time_us) {
        const int process = processes(row.samples);
        for (int i = 0; i < 3; ++i) {
            row.samples.push_back({time_us + 0.01 * i, 20, 20.5, process, {}});
        }
        summarise(row, small_problem());
        return row;
    };
    const Measurement first = confirm(read(fixture.store), 7);
    const Measurement second = confirm(read(other), 8);
    fixture.add(1, first);
    other.add(candidate(1), hash_of(candidate(1)), second);
    const Measurement both = read(fixture.store);
    CHECK(processes(both.samples) == 3);
    CHECK(both.samples.size() == 9);
    CHECK(value(fixture.store, "SELECT processes || ' ' || samples FROM measurement") == "3 9");
    CHECK(both.ratio.value() < first.ratio.value());
    CHECK(both.ratio.value() > second.ratio.value());

    SECTION("and none twice") {
        other.add(candidate(1), hash_of(candidate(1)), second);
        CHECK(processes(read(fixture.store).samples) == 3);
        CHECK(value(fixture.store, "SELECT max(process) FROM sample") == "2");
    }
    SECTION("and what is measured anew replaces them") {
        other.add(candidate(1), hash_of(candidate(1)), correct(3));
        CHECK(processes(read(fixture.store).samples) == 1);
    }
    SECTION("and when they go on in turns") {
        // Each goes on from what it read before the other's last confirmation.
        const Measurement third = confirm(first, 7.5);
        fixture.add(1, third);
        CHECK(processes(read(other).samples) == 4);
        other.add(candidate(1), hash_of(candidate(1)), confirm(both, 8.5));
        CHECK(processes(read(other).samples) == 5);
        CHECK(read(other).samples.size() == 15);
    }
    SECTION("and a confirmation of what was measured anew meanwhile has none of it") {
        other.add(candidate(1), hash_of(candidate(1)), correct(2));
        fixture.add(1, first);
        CHECK(processes(read(fixture.store).samples) == 2);
    }
    SECTION("and further confirmations add to all of them") {
        fixture.add(1, confirm(both, 7));
        CHECK(processes(read(other).samples) == 4);
        CHECK(read(other).samples.size() == 12);
    }
}

TEST_CASE("A stored row comes back with all that was measured") {
    Fixture fixture;
    Candidate kernel = candidate(4);
    kernel.plan.workspace_bytes = 4096;
    kernel.plan.steps[0].cluster = 2;
    kernel.plan.steps[0].shared_bytes = 512;
    kernel.plan.steps.emplace_back().kind = LaunchStep::Kind::kMatmul;
    const Measurement stored = distinct();
    fixture.store.add(kernel, "some hash", stored);
    const auto rows = unconfirmed_rows(fixture.store, small_problem(), kProcesses);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].family == "lut_mv");
    CHECK(rows[0].params == kernel.params);
    CHECK(rows[0].problem == kernel.problem);
    CHECK(rows[0].plan == kernel.plan);
    CHECK(rows[0].binary_hash == "some hash");
    check_values(rows[0].measurement, stored);
    check_samples(rows[0].measurement.samples, stored.samples);
}

TEST_CASE("What was never obtained is absent in a stored row") {
    Fixture fixture;
    Measurement bare = correct(2.0, 64, 1);
    bare.accuracy_original.reset();
    bare.repeatable.reset();
    bare.resources.reset();
    bare.ratio_lo.reset();
    bare.floor_us.reset();
    fixture.add(4, bare);
    const RunRecord run = fictional_run();
    const auto rows = winner_rows(fixture.store, run.device.key, run.policy.key());
    REQUIRE(rows.size() == 1);
    const Measurement& found = rows[0].measurement;
    CHECK(found.accuracy);
    CHECK_FALSE(found.accuracy_original);
    CHECK_FALSE(found.repeatable);
    CHECK_FALSE(found.resources);
    CHECK_FALSE(found.ratio_lo);
    CHECK_FALSE(found.floor_us);
    CHECK_FALSE(found.power_w);
    CHECK_FALSE(found.temperature_c);
    CHECK_FALSE(found.energy_uj);
    CHECK_FALSE(found.samples.at(0).sm_clock_mhz);
}

TEST_CASE("The winners come back in the order of the problems") {
    Fixture fixture;
    for (const int m : {16, 1, 4}) {
        for (const int warps : {1, 2}) {
            const Candidate kernel = candidate(warps, small_problem(m));
            fixture.store.add(kernel, hash_of(kernel), correct(m + warps, 64, 6));
        }
    }
    const RunRecord run = fictional_run();
    const auto rows = winner_rows(fixture.store, run.device.key, run.policy.key());
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].problem.shape.m == 1);
    CHECK(rows[1].problem.shape.m == 4);
    CHECK(rows[2].problem.shape.m == 16);
    for (const StoredRow& row : rows) {
        CHECK(row.params.number("warps") == 2);
        CHECK(row.measurement.samples.size() == 6);
    }
    CHECK(winner_rows(fixture.store, run.device.key, "another").empty());
    CHECK(winner_rows(fixture.store, "another", run.policy.key()).empty());
}

TEST_CASE("What a table takes in the place of a winner of another layout is served, too") {
    Fixture fixture;
    const auto add = [&](std::int64_t m, double ratio, Layout layout) {
        Candidate kernel = candidate(layout == Layout::kFragment ? 8 : 1, small_problem(m));
        kernel.layout = layout;
        fixture.store.add(kernel, hash_of(kernel), correct(ratio, 64, 6));
    };
    add(1, 3, Layout::kCanonical);
    add(1, 2, Layout::kFragment);
    add(4, 5, Layout::kFragment);
    const RunRecord run = fictional_run();
    const auto served = [&] {
        std::vector<std::tuple<std::int64_t, std::int64_t, bool>> found;  // m, warps, wins
        for (const auto& [row, wins] :
             served_rows(fixture.store, run.device.key, run.policy.key())) {
            found.emplace_back(row.problem.shape.m, row.params.number("warps"), wins);
        }
        return found;
    };
    using Served = decltype(served());
    CHECK(served() == Served{{1, 1, true}, {4, 8, true}, {1, 8, false}});
    add(4, 6, Layout::kCanonical);  // now the canonical layout is the better one for all m
    CHECK(served() == Served{{1, 1, true}, {4, 1, true}});
}
