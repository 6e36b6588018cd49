#include "tests/cli/refused.hpp"
#include "tests/cli/small_sweep.hpp"
#include "tests/safetensors.hpp"

using namespace fdkbench::test;

namespace {

/// The policies with correct rows, in order.
std::string policies(const HostDatabase& database) {
    return database.value(
        "SELECT group_concat(policy, ' ') FROM (SELECT DISTINCT policy FROM"
        " candidates_flat WHERE status = 'correct' ORDER BY measurement_id)");
}

}  // namespace

TEST_CASE("Other inputs, another codebook and another cache policy give rows of their own") {
    const HostDatabase database;
    require_done(database.sweep());
    const std::string rows = database.value("SELECT count(*) FROM measurement");
    const std::string normal = "cold5-normal-seed1-nrmse0.004-v6";
    CHECK(policies(database) == normal);
    require_done(database.sweep({"--inputs", "zeros"}));
    const std::string zeros = "cold5-zeros-seed1-nrmse0.004-v6";
    CHECK(policies(database) == normal + " " + zeros);
    require_done(database.sweep({"--cache-policy", "hot"}));
    const std::string hot = "hot-normal-seed1-nrmse0.004-v6";
    CHECK(policies(database) == normal + " " + zeros + " " + hot);
    require_done(database.sweep({"--codebook", "uneven"}));
    const std::string uneven = "cold5-normal-uneven-seed1-nrmse0.004-v6";
    CHECK(policies(database) == normal + " " + zeros + " " + hot + " " + uneven);
    CHECK(database.value("SELECT count(*) FROM (SELECT policy FROM candidates_flat GROUP BY policy"
                         " HAVING count(*) = " +
                         rows + ")") == "4");
    CHECK(database.value("SELECT count(*) FROM best") == "4");
    CHECK(database.value("SELECT count(DISTINCT nrmse_original) FROM best"
                         " WHERE policy LIKE 'cold5-normal%'") == "2");
}

TEST_CASE("A safetensors file is measured on under the name of its values") {
    const HostDatabase database;
    const std::string file = database.path("w.safetensors");
    using fdkbench::f32_tensor;
    fdkbench::write_safetensors(
        file, {f32_tensor("weight", {0.5F, -0.25F, 0.125F, 1}), f32_tensor("x", {1, -1, 0.5F})});
    require_done(database.sweep({"--inputs", file}));
    CHECK_THAT(database.value("SELECT DISTINCT policy FROM best"),
               ContainsSubstring("cold5-file:") && ContainsSubstring("-seed1-nrmse0.004-v6"));
    CHECK(database.value("SELECT count(*) > 0, min(nrmse) < 0.004 FROM measurement"
                         " WHERE status = 'correct'") == "1,1");
    CHECK_THAT(database.value("SELECT policy_json FROM run"), ContainsSubstring(file));

    // The same values elsewhere are the same inputs.
    const std::string moved = database.path("moved.safetensors");
    std::filesystem::rename(file, moved);
    CHECK_THAT(database.sweep({"--inputs", moved}).err, ContainsSubstring("measured now: nothing"));
    fdkbench::write_safetensors(moved, {f32_tensor("weight", {0.5F})});
    CHECK_THAT(database.sweep({"--inputs", moved, "--dry-run"}).out,
               ContainsSubstring(", 0 of them already measured"));
}

TEST_CASE("One tensor of a model gives the weights to measure on") {
    const HostDatabase database;
    const std::string file = database.path("w.safetensors");
    using fdkbench::f32_tensor;
    fdkbench::write_safetensors(
        file, {f32_tensor("up.weight", {0.5F, -0.25F, 0.125F}), f32_tensor("bias", {1, 2})});
    require_done(database.sweep({"--weights", file + ":up.weight"}));
    CHECK_THAT(database.value("SELECT DISTINCT policy FROM best"),
               ContainsSubstring("cold5-file:"));
    CHECK(database.value("SELECT count(*) > 0, min(nrmse) < 0.004 FROM measurement"
                         " WHERE status = 'correct'") == "1,1");
    CHECK_THAT(database.sweep({"--weights", file + ":up.weight"}).err,
               ContainsSubstring("measured now: nothing"));

    check_refused(database.sweep({"--weights", file + ":down.weight"}),
                  2,
                  {"no tensor \"down.weight\": it holds", "\"up.weight\""});
    check_refused(database.sweep({"--weights", file}), 2, {"--weights", "FILE:TENSOR"});
    check_refused(database.sweep({"--weights", "none:up.weight"}), 2, {"none:up.weight"});
    check_refused(database.sweep({"--weights", file + ":bias", "--inputs", "zeros"}),
                  2,
                  {"--weights", "--inputs"});
}
