#include "results/ledger.hpp"

#include "src/core/json.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

using namespace fdkbench;

namespace {

VerifiedKernel verified(const std::string& hash, std::int64_t warps, std::int64_t m, double nrmse) {
    return {hash, "lut_mv", candidate(warps).params, small_problem(m), nrmse};
}

LedgerHeader header() {
    LedgerHeader result;
    result.device = fictional_run().device;
    result.driver = "580.1";
    result.compiler = "nvrtc 13.0.88";
    result.commit = "abcdef";
    result.date = "2024-05-06T07:08:09Z";
    return result;
}

}  // namespace

TEST_CASE("A ledger has one entry for each binary, with its problems and largest error") {
    const std::string text = ledger_text(header(),
                                         {verified("b", 4, 1, 0.002),
                                          verified("a", 8, 4, 0.001),
                                          verified("b", 4, 16, 0.003),
                                          verified("b", 4, 4, 0.0025)});
    const Json json = Json::parse(text);
    REQUIRE(json.at("kernels").size() == 2);
    const Json& first = json.at("kernels").at(0);
    CHECK(first.at("binary_hash") == "a");
    CHECK(first.at("nrmse") == 0.001);
    CHECK(first.at("problems").size() == 1);
    CHECK(first.at("params").get<Params>() == candidate(8).params);
    const Json& second = json.at("kernels").at(1);
    CHECK(second.at("binary_hash") == "b");
    CHECK(second.at("family") == "lut_mv");
    CHECK(second.at("nrmse") == 0.003);
    REQUIRE(second.at("problems").size() == 3);
    CHECK(second.at("problems").at(0).get<Problem>() == small_problem(1));
    CHECK(second.at("problems").at(1).get<Problem>() == small_problem(16));
    CHECK(second.at("problems").at(2).get<Problem>() == small_problem(4));
    CHECK(text.back() == '\n');
}

TEST_CASE("A ledger says where and with what it was made") {
    const Json json = Json::parse(ledger_text(header(), {}));
    CHECK(json.at("schema") == "fdkbench-ledger");
    CHECK(json.at("schema_version") == 1);
    CHECK(json.at("device").at("key") == "Fictional 100, sm_90, 4 SMs");
    CHECK(json.at("device").at("name") == "Fictional 100");
    CHECK(json.at("device").at("arch") == "sm_90a");
    CHECK(json.at("driver") == "580.1");
    CHECK(json.at("compiler") == "nvrtc 13.0.88");
    CHECK(json.at("commit") == "abcdef");
    CHECK(json.at("date") == "2024-05-06T07:08:09Z");
    CHECK(json.at("kernels").is_array());
    CHECK(json.at("kernels").empty());
}
