#include "results/stored_rows.hpp"
#include "results/winners.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <chrono>
#include <thread>

using namespace fdkbench;

namespace {

/// A measurement whose samples come from several processes, six from each.
Measurement confirmed(double ratio, int processes, int registers = 64) {
    Measurement result = correct(ratio, registers, 6 * processes);
    for (std::size_t i = 0; i < result.samples.size(); ++i) {
        result.samples[i].process = static_cast<int>(i / 6);
    }
    return result;
}

struct Fixture {
    Fixture() { store.begin_run(fictional_run()); }
    void add(int warps, const Measurement& measurement) {
        store.add(candidate(warps), hash_of(candidate(warps)), measurement);
    }
    [[nodiscard]] std::string winner() const {
        return value(store, "SELECT json_extract(params, '$.warps') FROM best");
    }
    /// Warps of those that tie, the winner first.
    [[nodiscard]] std::string tied() const {
        return value(store,
                     "SELECT group_concat(json_extract(params, '$.warps'), ' ')"
                     " FROM (SELECT * FROM tied ORDER BY place)");
    }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

}  // namespace

TEST_CASE("Rows of the best grade alone may win") {
    Fixture fixture;
    fixture.add(1, correct(3.0, 64, 5));
    CHECK(fixture.tied() == "1");
    SECTION("six samples beat fewer") {
        fixture.add(2, correct(2.0, 64, 6));
        CHECK(fixture.tied() == "2");
        fixture.add(4, correct(2.99, 8, 5));
        CHECK(fixture.tied() == "2");
    }
    SECTION("several processes beat one") {
        fixture.add(2, correct(2.5, 64, 60));
        fixture.add(4, confirmed(2.0, 2));
        CHECK(fixture.tied() == "4");
        // How many processes does not matter, the ratio does.
        fixture.add(8, confirmed(1.9, 3));
        CHECK(fixture.tied() == "4");
        fixture.add(16, confirmed(2.1, 2));
        CHECK(fixture.tied() == "16");
    }
}

TEST_CASE("Kernels that tie are counted and have places") {
    Fixture fixture;
    fixture.add(1, confirmed(2.0, 2, 64));
    fixture.add(2, confirmed(1.99, 2, 32));
    fixture.add(4, confirmed(1.985, 2, 128));
    fixture.add(8, confirmed(1.5, 2, 8));
    fixture.add(16, correct(1.99, 8, 6));
    CHECK(fixture.tied() == "2 1 4");
    CHECK(value(fixture.store, "SELECT group_concat(place) FROM tied") == "1,2,3");
    CHECK(value(fixture.store, "SELECT group_concat(DISTINCT tied) FROM tied") == "3");
    CHECK(value(fixture.store, "SELECT tied || ' ' || processes || ' ' || samples FROM best") ==
          "3 2 12");

    const Candidate elsewhere = candidate(8, small_problem(16));
    fixture.store.add(elsewhere, hash_of(elsewhere), correct(1, 64, 6));
    CHECK(value(fixture.store, "SELECT group_concat(tied) FROM best") == "3,1");
    const RunRecord run = fictional_run();
    const Rows rows = winners(fixture.store, run.device.key, run.policy.key());
    REQUIRE(rows.size() == 2);
    CHECK(winner(rows, 0).tied == 3);
    CHECK(winner(rows, 0).processes == 2);
    CHECK(winner(rows, 1).tied == 1);
    CHECK(winner(rows, 1).processes == 1);
}

TEST_CASE("Fewer than five processes cannot tell kernels apart that differ by 2 %") {
    const auto tied_in = [](int processes) {
        Fixture fixture;
        const auto add = [&](int warps, double ratio) {
            Measurement measurement = confirmed(ratio, processes);
            measurement.ratio_lo = 0.999 * ratio;
            measurement.ratio_hi = 1.001 * ratio;
            fixture.add(warps, measurement);
        };
        add(1, 2.0);
        add(2, 1.97);
        add(4, 1.95);
        return fixture.tied();
    };
    CHECK(tied_in(1) == "1 2");
    CHECK(tied_in(4) == "1 2");
    CHECK(tied_in(5) == "1");
}

TEST_CASE("A winner is nearer to the leader than the edge of the tie") {
    Fixture fixture;
    const auto add = [&](int warps, double ratio, int registers, double half_width) {
        Measurement measurement = confirmed(ratio, 17, registers);
        measurement.ratio_lo = ratio * (1 - half_width);
        measurement.ratio_hi = ratio * (1 + half_width);
        fixture.add(warps, measurement);
    };
    SECTION("within half of it") {
        add(1, 2.0, 128, 0.001);
        add(2, 1.988, 8, 0.001);   // 0.6 % behind
        add(4, 1.992, 64, 0.001);  // 0.4 %
        add(8, 1.984, 16, 0.001);  // 0.8 %
        add(16, 1.97, 4, 0.001);   // 1.5 %: no tie
        CHECK(fixture.tied() == "4 1 2 8");
    }
    SECTION("or inside the leader's interval") {
        add(1, 2.0, 128, 0.02);
        add(2, 1.97, 64, 0.001);  // 1.5 % behind
        add(4, 1.955, 8, 0.01);   // 2.3 %: its interval only overlaps
        CHECK(fixture.tied() == "2 1 4");
    }
    SECTION("but an interval alone does not carry further than 3 %") {
        add(1, 2.0, 128, 0.1);
        add(2, 1.93, 64, 0.1);
        CHECK(fixture.tied() == "1");
    }
}

TEST_CASE("An incumbent stays until it is beaten by more than the margin") {
    Fixture fixture;
    fixture.add(1, confirmed(2.0, 3, 64));
    fixture.store.decide(small_problem(), 0.03, 3);
    CHECK(value(fixture.store, "SELECT incumbent FROM best") == "1");
    SECTION("a tie that would go to the cheaper kernel does not replace it") {
        fixture.add(2, confirmed(2.01, 3, 8));
        CHECK(fixture.tied() == "1 2");
        fixture.store.decide(small_problem(), 0.03, 3);
        CHECK(fixture.winner() == "1");
    }
    SECTION("nor does a faster one within the margin, beyond a tie") {
        Measurement better = confirmed(2.05, 3, 8);
        better.ratio_lo = 2.04;
        Measurement worse = confirmed(2.0, 3, 64);
        worse.ratio_hi = 2.01;
        fixture.add(1, worse);
        fixture.add(2, better);
        CHECK(fixture.tied() == "1 2");
        // It would be beaten by less.
        fixture.store.decide(small_problem(), 0.02, 3);
        CHECK(fixture.tied() == "2");
        CHECK(value(fixture.store, "SELECT incumbent FROM best") == "1");
    }
    SECTION("one that is faster by more than the margin does, and becomes the incumbent") {
        fixture.add(2, confirmed(2.07, 3, 128));
        CHECK(fixture.winner() == "2");
        CHECK(value(fixture.store, "SELECT incumbent FROM best") == "0");
        fixture.store.decide(small_problem(), 0.03, 3);
        CHECK(value(fixture.store, "SELECT incumbent FROM best") == "1");
        fixture.add(4, confirmed(2.12, 3, 8));
        CHECK(fixture.winner() == "2");
    }
    SECTION("one of a better grade does, however slow") {
        fixture.add(1, correct(2.0, 64, 6));
        fixture.add(2, confirmed(1.0, 2));
        CHECK(fixture.winner() == "2");
    }
    SECTION("it is no longer one when its code has changed or is wrong") {
        fixture.add(2, confirmed(1.5, 3));
        fixture.store.add(candidate(1), "new code", confirmed(1.51, 3, 128));
        CHECK(fixture.tied() == "2 1");
        fixture.add(1, failed(CandidateStatus::kCorrectness));
        CHECK(fixture.winner() == "2");
        CHECK(value(fixture.store, "SELECT incumbent FROM best") == "0");
    }
    SECTION("nor where an error bound excludes it") {
        Measurement exact = confirmed(1.2, 3);
        exact.accuracy->nrmse = 0.0001;
        fixture.add(2, exact);
        const RunRecord run = fictional_run();
        const Rows rows =
            winners(fixture.store, run.device.key, run.policy.key(), {.max_nrmse = 0.001});
        REQUIRE(rows.size() == 1);
        CHECK(winner(rows, 0).ratio == 1.2);
    }
}

TEST_CASE("An incumbent without a margin is one of those that tie") {
    Fixture fixture;
    fixture.add(1, confirmed(2.0, 3, 64));
    fixture.store.decide(small_problem(), 0, 3);
    fixture.add(2, confirmed(2.01, 3, 8));
    CHECK(fixture.winner() == "2");
}

TEST_CASE("Deciding concerns one cell, and none that is not there") {
    Fixture fixture;
    for (const int m : {1, 4}) {
        const Candidate kernel = candidate(4, small_problem(m));
        fixture.store.add(kernel, hash_of(kernel), confirmed(2, 2));
    }
    fixture.store.decide(small_problem(16), 0.03, 3);
    CHECK(value(fixture.store, "SELECT count(*) FROM cell") == "2");
    fixture.store.decide(small_problem(4), 0.05, 3);
    CHECK(value(fixture.store,
                "SELECT group_concat(m || ':' || incumbent_id || ':' || margin) FROM cell"
                " WHERE incumbent_id IS NOT NULL") ==
          "4:" + value(fixture.store, "SELECT candidate_id FROM best WHERE m = 4") + ":0.05");

    // A cell in which nothing may win has no incumbent.
    const Candidate kernel = candidate(4, small_problem(4));
    fixture.store.add(kernel, hash_of(kernel), failed(CandidateStatus::kRuntime));
    fixture.store.decide(small_problem(4), 0.05, 3);
    CHECK(value(fixture.store, "SELECT count(*) FROM cell WHERE incumbent_id IS NOT NULL") == "0");
}

TEST_CASE("The same kernel measured again stays the incumbent") {
    Fixture fixture;
    fixture.add(1, confirmed(2.0, 3, 64));
    fixture.store.decide(small_problem(), 0.03, 3);
    fixture.add(1, confirmed(1.95, 3, 64));
    fixture.add(2, confirmed(2.0, 3, 8));
    CHECK(fixture.winner() == "1");
}

TEST_CASE("A cell is decided until a row is added or more processes are wanted") {
    Fixture fixture;
    CHECK_FALSE(fixture.store.decided(small_problem(), 1));
    fixture.store.add(candidate(1), hash_of(candidate(1)), correct(2.0, 64, 6));
    CHECK_FALSE(fixture.store.decided(small_problem(), 3));
    fixture.store.decide(small_problem(), 0.03, 3);
    CHECK(fixture.store.decided(small_problem(), 3));
    CHECK(fixture.store.decided(small_problem(), 2));
    CHECK_FALSE(fixture.store.decided(small_problem(), 4));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    fixture.store.add(candidate(2), hash_of(candidate(2)), correct(1.9, 64, 6));
    CHECK_FALSE(fixture.store.decided(small_problem(), 3));
}
