#include "results/store.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"
#include "tests/results/sql.hpp"

using namespace fdkbench;

namespace {

struct Fixture {
    Fixture() { store.begin_run(fictional_run()); }
    /// As if the machine had been started anew since.
    void reboot() const { run_sql(folder / "a.db", "UPDATE attempt SET boot_id = 'another'"); }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

}  // namespace

TEST_CASE("An attempt is in the journal until it ends") {
    Fixture fixture;
    const Candidate kernel = candidate(4);
    CHECK(fixture.store.begin_attempt(kernel, "hash") == 0);
    CHECK(value(fixture.store,
                "SELECT identity || ' ' || m || ' ' || (length(boot_id) > 10)"
                " FROM attempt JOIN cell ON cell.id = cell_id") == "hash 1 1");
    // Another process sees it at once.
    CHECK(value(Store::open_read_only(fixture.folder / "a.db"), "SELECT count(*) FROM attempt") ==
          "1");
    fixture.store.end_attempt(kernel, "hash");
    CHECK(value(fixture.store, "SELECT count(*) FROM attempt") == "0");
    fixture.store.end_attempt(kernel, "hash");
    fixture.store.end_attempt(candidate(4, small_problem(16)), "hash");
}

TEST_CASE("An attempt during which the machine went down counts") {
    Fixture fixture;
    const Candidate kernel = candidate(4);
    REQUIRE(fixture.store.begin_attempt(kernel, "hash") == 0);
    SECTION("but not one that a killed sweep left on the same start of the machine") {
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 0);
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 0);
    }
    SECTION("once for each time") {
        fixture.reboot();
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 1);
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 1);
        fixture.reboot();
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 2);
    }
    SECTION("until it ends once") {
        fixture.reboot();
        fixture.store.end_attempt(kernel, "hash");
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 0);
    }
    SECTION("for that kernel in that cell alone") {
        fixture.reboot();
        CHECK(fixture.store.begin_attempt(kernel, "other code") == 0);
        CHECK(fixture.store.begin_attempt(candidate(4, small_problem(16)), "hash") == 0);
        Candidate launched_otherwise = kernel;
        launched_otherwise.plan.steps[0].cluster = 2;
        CHECK(fixture.store.begin_attempt(launched_otherwise, "hash") == 0);
        RunRecord other = fictional_run();
        other.policy.seed = 7;
        fixture.store.begin_run(other);
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 0);
        fixture.store.begin_run(fictional_run());
        CHECK(fixture.store.begin_attempt(kernel, "hash") == 1);
    }
}

TEST_CASE("A run keeps what an empty kernel takes and how long it kept the device") {
    Fixture fixture;
    CHECK(value(fixture.store, "SELECT empty_launch_us IS NULL AND device_s IS NULL FROM run") ==
          "1");
    fixture.store.set_empty_launch(2.25);
    fixture.store.add(candidate(4), "hash", correct(2));
    CHECK(value(fixture.store, "SELECT empty_launch_us FROM best") == "2.25");
    fixture.store.set_empty_launch(2.5);
    fixture.store.end_run(12.75);
    CHECK(value(fixture.store, "SELECT empty_launch_us || ' ' || device_s FROM run") ==
          "2.5 12.75");
    CHECK_THROWS_AS(fixture.store.set_empty_launch(1), std::logic_error);

    fixture.store.begin_run(fictional_run());
    fixture.store.end_run(1);
    CHECK(value(fixture.store, "SELECT group_concat(device_s) FROM run") == "12.75,1.0");
}

TEST_CASE("Every run has a key of its own, also in the same instant") {
    Fixture fixture;
    for (int i = 0; i < 20; ++i) {
        fixture.store.begin_run(fictional_run());
    }
    CHECK(value(fixture.store, "SELECT count(DISTINCT key) FROM run") == "21");
    CHECK(value(fixture.store,
                "SELECT count(*) FROM run WHERE key LIKE"
                " '20__-__-__T__:__:__.___Z GPU-Fictional 100 %:% ________'") == "21");
}

TEST_CASE("What the device said of itself is kept with a row and its samples") {
    Fixture fixture;
    Measurement measurement = correct(2, 64, 3);
    measurement.power_w = 612.5;
    measurement.temperature_c = 71;
    measurement.energy_uj = 1234.5;
    measurement.discarded = 3;
    measurement.samples[0].sm_clock_mhz = 1980;
    measurement.samples[1].sm_clock_mhz = 1950;
    measurement.samples[2].process = 2;
    fixture.store.add(candidate(4), "hash", measurement);
    CHECK(value(fixture.store,
                "SELECT power_w || ' ' || temperature_c || ' ' || energy_uj || ' ' || discarded ||"
                " ' ' || sm_clock_mhz || ' ' || processes FROM best") ==
          "612.5 71.0 1234.5 3 1965.0 2");
    CHECK(value(fixture.store,
                "SELECT group_concat(process || ':' || coalesce(sm_clock_mhz, '-')) FROM sample") ==
          "0:1980.0,0:1950.0,2:-");
    fixture.store.add(candidate(8), "other", failed(CandidateStatus::kCorrectness));
    CHECK(value(fixture.store,
                "SELECT processes || ' ' || discarded FROM candidates_flat"
                " WHERE status = 'correctness' AND power_w IS NULL AND energy_uj IS NULL") ==
          "0 0");
}
