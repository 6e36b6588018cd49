#include "results/dispatch_table.hpp"

#include "src/core/error.hpp"
#include "src/core/json.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <algorithm>

using namespace fdkbench;

namespace {

/// Two cells on one device; in the first, the fastest kernel is the least accurate.
struct Fixture {
    Fixture() {
        store.begin_run(fictional_run());
        Measurement fast = correct(3);
        fast.accuracy->nrmse = 0.0035;
        add(1, fast, small_problem(1));
        add(2, correct(2.0, 128), small_problem(1));
        add(4, correct(1.99, 32), small_problem(1));
        add(4, correct(1.5), small_problem(16));
    }
    void add(int warps, const Measurement& measurement, const Problem& problem) {
        const Candidate kernel = candidate(warps, problem);
        store.add(kernel, hash_of(kernel), measurement);
    }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

Json schema() {
    std::ifstream file("results/dispatch-table.schema.json");
    REQUIRE(file);
    return Json::parse(file);
}

/// What the tables of the project use of JSON Schema: type, const, enum, required, properties,
/// additionalProperties: false, items and $ref into $defs.
void check_valid(const Json& value, const Json& rule, const Json& root) {
    if (rule.contains("$ref")) {
        const std::string path = rule["$ref"];
        return check_valid(value, root.at(Json::json_pointer(path.substr(1))), root);
    }
    INFO(value.dump() << " against " << rule.dump());
    if (rule.contains("const")) {
        CHECK(value == rule["const"]);
    }
    if (rule.contains("enum")) {
        CHECK(std::count(rule["enum"].begin(), rule["enum"].end(), value) == 1);
    }
    if (rule.contains("type")) {
        const Json types = rule["type"].is_array() ? rule["type"] : Json::array({rule["type"]});
        CHECK(std::any_of(types.begin(), types.end(), [&](const std::string& type) {
            return (type == "object" && value.is_object()) ||
                   (type == "array" && value.is_array()) ||
                   (type == "string" && value.is_string()) ||
                   (type == "integer" && value.is_number_integer()) ||
                   (type == "boolean" && value.is_boolean()) ||
                   (type == "number" && value.is_number()) || (type == "null" && value.is_null());
        }));
    }
    for (const auto& key : rule.value("required", Json::array())) {
        CHECK(value.contains(key.get<std::string>()));
    }
    if (value.is_object()) {
        const Json properties = rule.value("properties", Json::object());
        for (const auto& [key, member] : value.items()) {
            if (properties.contains(key)) {
                check_valid(member, properties[key], root);
            } else {
                CHECK(rule.value("additionalProperties", Json(true)) != false);
            }
        }
    }
    if (value.is_array() && rule.contains("items")) {
        for (const Json& item : value) {
            check_valid(item, rule["items"], root);
        }
    }
}

}  // namespace

TEST_CASE("The table holds the winner of every cell with where it came from") {
    const Fixture fixture;
    const DispatchTable table = read_table(fixture.store, "");
    CHECK(table.device_name == "Fictional 100");
    CHECK(table.device_key == "Fictional 100, sm_90, 4 SMs");
    CHECK(table.device_arch == "sm_90a");
    CHECK(table.device_figures ==
          std::map<std::string, Json>{{"units", 4}, {"memory_gb_s", 3352.32}});
    CHECK(table.driver == "580.1");
    CHECK(table.compiler == "nvrtc 13.0");
    CHECK(table.commit == "abcdef");
    CHECK(table.policy == MeasuringPolicy{}.key());
    CHECK(table.date.substr(0, 2) == "20");
    REQUIRE(table.entries.size() == 2);

    const TableEntry& entry = table.entries[0];
    const Candidate winner = candidate(1, small_problem(1));
    CHECK(entry.problem == winner.problem);
    CHECK(entry.params == winner.params);
    CHECK(entry.plan == winner.plan);
    CHECK(entry.family == "lut_mv");
    CHECK(entry.layout == Layout::kCanonical);
    CHECK(entry.binary_hash == hash_of(winner));
    CHECK(entry.ratio == 3);
    CHECK(entry.ratio_lo == Approx(2.97));
    CHECK(entry.ratio_hi == Approx(3.03));
    CHECK(entry.time_us == Approx(20.0 / 3));
    CHECK(entry.nrmse == 0.0035);
    CHECK(table.entries[1].problem == small_problem(16));
}

TEST_CASE("A tighter error decides the winner again by the same rule") {
    const Fixture fixture;
    const DispatchTable table = read_table(fixture.store, "", {.max_nrmse = 0.003});
    REQUIRE(table.entries.size() == 2);
    // Among the accurate ones 2.0 and 1.99 tie, and the one with fewer registers wins.
    CHECK(table.entries[0].ratio == 1.99);
    CHECK(read_table(fixture.store, "", {.max_nrmse = 0.0035}).entries[0].ratio == 3);
    CHECK(read_table(fixture.store, "", {.max_nrmse = 1e-9}).entries.empty());
}

TEST_CASE("A device is found by id, key, name or uuid") {
    Fixture fixture;
    RunRecord host = fictional_run("Processor");
    host.device.id = "host";
    host.device.uuid = "";
    fixture.store.begin_run(host);
    fixture.add(8, correct(5), small_problem(1));

    for (const char* name :
         {"cuda:0", "Fictional 100", "Fictional 100, sm_90, 4 SMs", "GPU-Fictional 100"}) {
        CHECK(read_table(fixture.store, name).entries.size() == 2);
    }
    CHECK(read_table(fixture.store, "host").entries.at(0).ratio == 5);

    const auto both =
        ContainsSubstring("\"Fictional 100, sm_90, 4 SMs\", \"Processor, sm_90, 4 SMs\"");
    CHECK_THROWS_AS(read_table(fixture.store, ""), UsageError);
    CHECK_THROWS_WITH(read_table(fixture.store, ""), ContainsSubstring("several devices") && both);
    CHECK_THROWS_AS(read_table(fixture.store, "cuda:7"), UsageError);
    CHECK_THROWS_WITH(read_table(fixture.store, "cuda:7"), ContainsSubstring("\"cuda:7\"") && both);
}

TEST_CASE("An empty database has no table") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(read_table(Store::open(folder / "a.db"), ""),
                      ContainsSubstring("run fdkbench sweep first"));
}

TEST_CASE("The policy of the newest run counts") {
    Fixture fixture;
    RunRecord other = fictional_run();
    other.policy.seed = 9;
    other.driver = "600";
    fixture.store.begin_run(other);
    CHECK(read_table(fixture.store, "").policy == MeasuringPolicy{}.key());
    fixture.add(8, correct(1), small_problem(1));
    const DispatchTable table = read_table(fixture.store, "");
    CHECK(table.policy == other.policy.key());
    CHECK(table.driver == "600");
    REQUIRE(table.entries.size() == 1);
    CHECK(table.entries[0].ratio == 1);

    fixture.store.begin_run(fictional_run());
    CHECK(read_table(fixture.store, "").entries.size() == 2);
}

TEST_CASE("A table is of plain or of dependent launches, and every entry says of which") {
    Fixture fixture;
    RunRecord run = fictional_run();
    run.policy.launch_mode = LaunchMode::kDependent;
    fixture.store.begin_run(run);
    Candidate waiting = candidate(8, small_problem(1));
    waiting.plan.steps.front().waits_for_predecessor = true;
    fixture.store.add(waiting, hash_of(waiting), correct(9));
    for (const char* view : {"candidates_flat", "tied", "best"}) {
        CHECK(
            value(fixture.store, std::string("SELECT policy FROM ") + view + " WHERE ratio = 9") ==
            "cold5-normal-seed1-nrmse0.004-dependent-v6");
    }

    const DispatchTable dependent = read_table(fixture.store, "");
    const Json json = Json::parse(to_json_text(dependent));
    const Json rule = schema();
    check_valid(json, rule, rule);
    CHECK(json["policy"] == run.policy.key());
    REQUIRE(json["entries"].size() == 1);
    CHECK(json["entries"][0]["launch_mode"] == "dependent");
    CHECK(json["entries"][0]["launch"]["steps"][0]["waits_for_predecessor"] == true);
    CHECK(dependent.entries[0].plan == waiting.plan);
    CHECK_THAT(to_csv(dependent), ContainsSubstring(",canonical,dependent,"));

    fixture.store.begin_run(fictional_run());
    const DispatchTable plain = read_table(fixture.store, "");
    REQUIRE(plain.entries.size() == 2);
    for (const TableEntry& entry : plain.entries) {
        CHECK(entry.launch_mode == LaunchMode::kPlain);
        CHECK(entry.ratio < 9);
    }
}

TEST_CASE("Every entry says what it was measured with, the table what its newest run was") {
    Fixture fixture;
    RunRecord later = fictional_run();
    later.driver = "600";
    later.compiler = "nvrtc 14.0";
    later.commit = "fedcba";
    fixture.store.begin_run(later);
    fixture.add(4, correct(2), small_problem(1));   // not the fastest there
    fixture.add(8, correct(2), small_problem(16));  // the fastest
    const DispatchTable table = read_table(fixture.store, "");
    REQUIRE(table.entries.size() == 2);
    CHECK(table.entries[0].driver == "580.1");
    CHECK(table.entries[0].compiler == "nvrtc 13.0");
    CHECK(table.entries[0].commit == "abcdef");
    CHECK(table.entries[1].driver == "600");
    CHECK(table.entries[1].compiler == "nvrtc 14.0");
    CHECK(table.entries[1].commit == "fedcba");
    CHECK(table.entries[0].measured_at <= table.entries[1].measured_at);
    CHECK(table.driver == "600");
    CHECK(table.compiler == "nvrtc 14.0");
    CHECK(table.commit == "fedcba");
    CHECK(table.date == table.entries[1].measured_at);

    const Json entry = Json::parse(to_json_text(table))["entries"][0];
    CHECK(entry["measured_at"] == table.entries[0].measured_at);
    CHECK(entry["driver"] == "580.1");
    CHECK(entry["compiler"] == "nvrtc 13.0");
    CHECK(entry["commit"] == "abcdef");
}

TEST_CASE("The JSON is as its schema says") {
    Fixture fixture;
    fixture.add(4, single_sample(1), small_problem(32));
    const Json rule = schema();
    const Json json = Json::parse(to_json_text(read_table(fixture.store, "")));
    check_valid(json, rule, rule);
    REQUIRE(json["entries"].size() == 3);
    CHECK(json["schema"] == "fdkbench-table");
    CHECK(json["schema_version"] == 6);
    CHECK(json["device"]["arch"] == "sm_90a");
    const Json entry = json["entries"][0];
    CHECK(entry["params"] == Json::parse(R"({"warps": 1, "decode": "prmt"})"));
    CHECK(entry["launch"]["steps"][0]["block"] == Json::parse("[32, 1, 1]"));
    CHECK(entry["launch_mode"] == "plain");
    CHECK(entry["ratio_lo"].is_number());
    CHECK(json["entries"][2]["ratio_lo"].is_null());
    CHECK(json["entries"][2]["ratio_hi"].is_null());
    for (const char* key :
         {"m",        "n",      "k",           "bits",   "group_size", "type",  "family",
          "params",   "launch", "binary_hash", "layout", "time_us",    "ratio", "ratio_lo",
          "ratio_hi", "nrmse",  "measured_at", "driver", "compiler",   "commit"}) {
        CHECK(entry.contains(key));
    }
}

TEST_CASE("The CSV has a line per entry and a header even without entries") {
    const Fixture fixture;
    const std::string csv = to_csv(read_table(fixture.store, ""));
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);
    const std::string header =
        "m,n,k,bits,group_size,type,first_m,last_m,family,params,launch,binary_hash,layout,launch_"
        "mode,time_us,"
        "ratio,ratio_lo,ratio_hi,nrmse,measured_at,driver,compiler,commit,extrapolated\n";
    CHECK_THAT(csv,
               ContainsSubstring(header + "1,128,256,4,64,bf16,1,1,lut_mv,\"{\"\"warps\"\":1,"));
    CHECK_THAT(csv, ContainsSubstring(",abcdef,false\n"));
    CHECK(to_csv(DispatchTable{}) == header);
}

TEST_CASE("What a single sample does not give is an empty field of the CSV") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    store.begin_run(fictional_run());
    store.add(candidate(4), "hash", single_sample(2));
    const std::string csv = to_csv(read_table(store, ""));
    CHECK_THAT(csv, ContainsSubstring(",hash,canonical,plain,10.0,2.0,,,0.002,20"));
}
