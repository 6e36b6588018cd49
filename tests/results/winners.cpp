#include "results/winners.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"
#include "tests/results/sql.hpp"

using namespace fdkbench;

namespace {

using Keys = std::vector<std::string>;

RunRecord run_with_seed(std::uint64_t seed) {
    RunRecord run = fictional_run();
    run.policy.seed = seed;
    return run;
}

}  // namespace

TEST_CASE("Policies with measurements are listed, that of the newest run first") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    const RunRecord first = run_with_seed(1);
    const RunRecord second = run_with_seed(2);
    const std::string& device = first.device.key;
    CHECK(policies(store, device).empty());
    store.begin_run(first);
    CHECK(policies(store, device).empty());
    store.add(candidate(4), "hash", correct(2));
    CHECK(policies(store, device) == Keys{first.policy.key()});

    store.begin_run(second);
    CHECK(policies(store, device) == Keys{first.policy.key()});
    // A sweep that was killed while it checked its first kernel.
    store.begin_attempt(candidate(4), "hash");
    CHECK(policies(store, device) == Keys{first.policy.key()});
    store.add(candidate(4), "hash", correct(2));
    CHECK(policies(store, device) == Keys{second.policy.key(), first.policy.key()});

    RunRecord elsewhere = fictional_run("Another");
    elsewhere.policy.seed = 3;
    store.begin_run(elsewhere);
    store.add(candidate(4), "hash", correct(2));
    CHECK(policies(store, device) == Keys{second.policy.key(), first.policy.key()});
    CHECK(policies(store, elsewhere.device.key) == Keys{elsewhere.policy.key()});
    store.begin_run(first);
    CHECK(policies(store, device) == Keys{first.policy.key(), second.policy.key()});
}

TEST_CASE("A policy is chosen by its key or by what stands in no other one") {
    const Keys keys{"cold5-normal-v6", "cold5-uniform-v6", "cold5-uniform-v6-more", "hot-v6"};
    CHECK(chosen_policy(keys, "") == keys[0]);
    CHECK(chosen_policy({}, "").empty());
    CHECK(chosen_policy(keys, "hot") == "hot-v6");
    CHECK(chosen_policy(keys, "cold5-uniform-v6") == keys[1]);
    CHECK_THROWS_AS(chosen_policy(keys, "uniform"), UsageError);
    CHECK_THROWS_WITH(chosen_policy(keys, "uniform"),
                      "--policy 'uniform' is not clear: give one of cold5-uniform-v6, "
                      "cold5-uniform-v6-more");
    CHECK_THROWS_WITH(
        chosen_policy(keys, "zeros"),
        ContainsSubstring("--policy 'zeros' is not there") && ContainsSubstring("hot-v6"));
}

TEST_CASE("A measuring policy comes back with all that decides what a number means") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    RunRecord run = fictional_run();
    run.policy.cache = GENERATE(CachePolicy::kCold, CachePolicy::kHot);
    run.policy.cache_bytes_factor = 2.5;
    run.policy.inputs = "file:0123456789ab";
    run.policy.inputs_file = "/some/where.safetensors";
    run.policy.seed = 77;
    run.policy.max_nrmse = 0.01;
    run.policy.allow_throttling = true;
    store.begin_run(fictional_run());
    store.begin_run(run);
    store.begin_run(fictional_run());
    const MeasuringPolicy found = measuring_policy(store, run.policy.key());
    CHECK(found.cache == run.policy.cache);
    CHECK(found.inputs == run.policy.inputs);
    CHECK(found.inputs_file == run.policy.inputs_file);
    CHECK(found.seed == 77);
    CHECK(found.max_nrmse == 0.01);
    CHECK(found.allow_throttling);
    CHECK(found.key() == run.policy.key());
    CHECK(measuring_policy(store, MeasuringPolicy{}.key()).key() == MeasuringPolicy{}.key());
}

TEST_CASE("A policy that this program does not follow is refused by name") {
    const TemporaryFolder folder;
    make_version_1(folder / "a.db");
    Store store = Store::open(folder / "a.db");
    const std::string old = policies(store, "Fictional 100, sm_90, 4 SMs").front();
    CHECK(old == "cold5-normal-seed1-nrmse0.004-v1");
    CHECK_THROWS_AS(measuring_policy(store, old), UsageError);
    CHECK_THROWS_WITH(measuring_policy(store, old),
                      ContainsSubstring(old) && ContainsSubstring("sweep again"));

    SECTION("also when its text is damaged or says something else") {
        store.begin_run(fictional_run());
        const std::string key = MeasuringPolicy{}.key();
        run_sql(folder / "a.db",
                std::string("UPDATE run SET policy_json = ") + GENERATE("''",
                                                                        "'[]'",
                                                                        "'{\"cache\":\"warm\"}'",
                                                                        "replace(policy_json,"
                                                                        " '\"seed\":1',"
                                                                        " '\"seed\":2')"));
        CHECK_THROWS_WITH(measuring_policy(store, key), ContainsSubstring(key));
    }
    SECTION("or when no run has it") {
        CHECK_THROWS_WITH(measuring_policy(store, "unheard of"), ContainsSubstring("unheard of"));
    }
}
