#include "src/core/json.hpp"

#include "tests/catch.hpp"

#include <cmath>
#include <limits>

using namespace fdkbench;

namespace {

/// Through text, as it travels.
template <typename T>
T round_trip(const T& value) {
    return Json::parse(to_line(Json(value))).template get<T>();
}

/// A reader takes what a writer wrote, and refuses every other object.
template <typename T>
void check_strict(const T& value) {
    const Json json = value;
    CHECK(Json(round_trip(value)) == json);
    for (const auto& item : json.items()) {
        CAPTURE(item.key());
        Json without = json;
        without.erase(item.key());
        CHECK_THROWS(without.get<T>());
        Json wrong = json;
        wrong[item.key()] = nullptr;
        CHECK_THROWS(wrong.get<T>());
    }
    Json more = json;
    more["surplus"] = 1;
    CHECK_THROWS_WITH(more.get<T>(), ContainsSubstring("surplus"));
    CHECK_THROWS(Json::array().get<T>());
    CHECK_THROWS(Json("text").get<T>());
}

}  // namespace

TEST_CASE("Parameters are an object in their own order") {
    const Params params({{"warps", 4}, {"decode", "prmt"}, {"a", -1}});
    CHECK(Json(params).dump() == R"({"warps":4,"decode":"prmt","a":-1})");
    CHECK(round_trip(params) == params);
    CHECK(Json(Params()).dump() == "{}");
    for (const char* text : {R"({"warps":1.5})", R"({"warps":true})", R"({"warps":null})", "[]"}) {
        CHECK_THROWS(Json::parse(text).get<Params>());
    }
}

TEST_CASE("A problem is flat, as a row of the database is") {
    const Problem problem{{1, 4096, 8192}, {4, 64}, ElementType::kFp16};
    CHECK(Json(problem).dump() ==
          R"({"m":1,"n":4096,"k":8192,"bits":4,"group_size":64,"type":"fp16"})");
    CHECK(round_trip(problem) == problem);
    check_strict(problem);
    Json json = problem;
    json["type"] = "fp8";
    CHECK_THROWS_WITH(json.get<Problem>(), ContainsSubstring("'type'"));
    json = problem;
    json["bits"] = 5000000000;
    CHECK_THROWS_WITH(json.get<Problem>(), ContainsSubstring("'bits'"));
    json["bits"] = 4.0;
    CHECK_THROWS(json.get<Problem>());
    json["bits"] = true;
    CHECK_THROWS(json.get<Problem>());
}

TEST_CASE("A launch plan round-trips with all of its steps") {
    LaunchPlan plan;
    plan.steps.push_back({LaunchStep::Kind::kKernel, "dequantise", {132, 2, 1}, {256, 1, 1}, 2, 8});
    plan.steps.emplace_back().kind = LaunchStep::Kind::kMatmul;
    plan.workspace_bytes = std::uint64_t{1} << 63U;
    CHECK(round_trip(plan) == plan);
    check_strict(plan);
    CHECK(Json(plan).at("steps").at(0).dump() ==
          R"({"kind":"kernel","kernel":"dequantise","grid":[132,2,1],"block":[256,1,1],)"
          R"("cluster":2,"shared_bytes":8})");
    Json json = plan;
    json["steps"][0]["grid"] = {1, 2};
    CHECK_THROWS(json.get<LaunchPlan>());
    json["steps"][0]["grid"] = {1, 2, -3};
    CHECK_THROWS(json.get<LaunchPlan>());
    json = plan;
    json["steps"][1]["kind"] = "copy";
    CHECK_THROWS_WITH(json.get<LaunchPlan>(), ContainsSubstring("copy"));
}

TEST_CASE("A plan's tiling round-trips, and is not written where there is none") {
    LaunchPlan plan;
    plan.steps.emplace_back().kernel = "lut_mma";
    CHECK_FALSE(Json(plan).contains("tiling"));
    CHECK_FALSE(Json(plan)["steps"][0].contains("grid_per_tile"));
    plan.steps[0].grid_per_tile = {0, 3, 0};
    plan.tiling = RowTiling{.m_tile = 16, .most_m = 512};
    CHECK(round_trip(plan) == plan);
    check_strict(*plan.tiling);
    CHECK(Json(plan)["tiling"].dump() == R"({"m_tile":16,"most_m":512})");
    plan.tiling->workspace_bytes_per_tile = 4096;
    CHECK(round_trip(plan) == plan);
    for (const char* rows : {"m_tile", "most_m"}) {
        for (const std::int64_t value :
             {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 25U}) {
            Json json = plan;
            json["tiling"][rows] = value;
            CHECK_THROWS_WITH(json.get<LaunchPlan>(), ContainsSubstring("rows"));
        }
    }
}

TEST_CASE("A step's tensor maps round-trip and are strict") {
    LaunchPlan plan;
    LaunchStep& step = plan.steps.emplace_back();
    step.tensor_maps.push_back({.operand = TensorMap::Operand::kX,
                                .element_bytes = 2,
                                .size = {64, 16, 64},
                                .strides = {8192, 128},
                                .box = {64, 16, 4},
                                .swizzled = true,
                                .row_step = 8,
                                .whole_depth = 4});
    step.tensor_maps.push_back({.operand = TensorMap::Operand::kScales,
                                .element_bytes = 4,
                                .size = {32, 16, 256},
                                .strides = {128, 2048},
                                .box = {32, 1, 2},
                                .swizzled = false});
    CHECK(round_trip(plan) == plan);
    check_strict(plan);
    Json json = plan;
    CHECK(json["steps"][0]["tensor_maps"][1]["operand"] == "scales");
    CHECK(json["steps"][0]["tensor_maps"][0]["row_step"] == 8);
    CHECK_FALSE(json["steps"][0]["tensor_maps"][1].contains("row_step"));
    json["steps"][0]["tensor_maps"][1]["operand"] = "y";
    CHECK_THROWS_WITH(json.get<LaunchPlan>(), ContainsSubstring("'y'"));
    json = plan;
    json["steps"][0]["tensor_maps"][0]["box"] = {64};
    CHECK_THROWS_WITH(json.get<LaunchPlan>(), ContainsSubstring("a box of 1"));
    // What has a whole_depth has a third size for it.
    json["steps"][0]["tensor_maps"][0].update(
        {{"size", {4096, 16}}, {"strides", {8192}}, {"box", {64, 16}}});
    CHECK_THROWS_WITH(json.get<LaunchPlan>(), ContainsSubstring("a tensor map of 2 sizes"));
    json["steps"][0]["tensor_maps"][0].erase("box");
    CHECK_THROWS_WITH(json.get<LaunchPlan>(), ContainsSubstring("box"));
}

TEST_CASE("Device, ceiling, policy, accuracy and resources round-trip") {
    DeviceInfo device;
    device.id = "cuda:0";
    device.memory_bytes = std::int64_t{80} << 30U;
    device.units = 132;
    device.memory_gb_s = 3352.32;
    device.facts = {{"driver", "580"}, {"L2", "50 MiB"}};
    check_strict(device);
    CHECK(round_trip(device).facts == device.facts);
    CHECK(round_trip(device).memory_bytes == device.memory_bytes);
    CHECK(round_trip(device).memory_gb_s == device.memory_gb_s);

    check_strict(Ceiling{"read", 1 << 20, 3.25, "GB/s"});
    check_strict(MeasuringPolicy{.seed = std::numeric_limits<std::uint64_t>::max()});
    check_strict(Accuracy{.rmse = 1.0 / 3, .nrmse = 1e-300});
    check_strict(KernelResources{64, 232448, 0});
    CHECK(round_trip(MeasuringPolicy{.max_nrmse = 0.1}).max_nrmse == 0.1);
}

TEST_CASE("What is only said of dependent launches has no key for plain ones") {
    LaunchStep step;
    CHECK_FALSE(Json(step).contains("waits_for_predecessor"));
    step.waits_for_predecessor = true;
    CHECK(Json(step).at("waits_for_predecessor") == true);
    CHECK(round_trip(step).waits_for_predecessor);
    Json json = step;
    json.erase("waits_for_predecessor");
    CHECK_FALSE(json.get_to(step).waits_for_predecessor);
    json["waits_for_predecessor"] = "yes";
    CHECK_THROWS_WITH(json.get<LaunchStep>(), ContainsSubstring("'waits_for_predecessor'"));

    MeasuringPolicy policy;
    CHECK_FALSE(Json(policy).contains("codebook"));
    policy.codebook = CodebookValues::kUneven;
    CHECK(Json(policy).at("codebook") == "uneven");
    CHECK(round_trip(policy).codebook == CodebookValues::kUneven);
    CHECK_FALSE(Json(policy).contains("launch_mode"));
    policy.launch_mode = LaunchMode::kDependent;
    CHECK(Json(policy).at("launch_mode") == "dependent");
    CHECK(round_trip(policy).launch_mode == LaunchMode::kDependent);
    json = Json(policy);
    json.erase("launch_mode");
    CHECK(json.get_to(policy).launch_mode == LaunchMode::kPlain);
    json["launch_mode"] = "soon";
    CHECK_THROWS_WITH(json.get<MeasuringPolicy>(), ContainsSubstring("'soon'"));
}

TEST_CASE("Infinite errors and NaN survive") {
    const double infinity = std::numeric_limits<double>::infinity();
    const Accuracy infinite{.rmse = infinity, .nrmse = -infinity};
    CHECK(to_line(Json(infinite)) == R"({"rmse":"inf","nrmse":"-inf"})");
    CHECK(round_trip(infinite).rmse == infinity);
    CHECK(round_trip(infinite).nrmse == -infinity);
    CHECK(std::isnan(round_trip(Accuracy{.rmse = std::nan("")}).rmse));
    CHECK_THROWS(Json::parse(R"({"rmse":"large","nrmse":0})").get<Accuracy>());
}

TEST_CASE("Text that is not UTF-8 becomes a line all the same") {
    const Json json = {{"log", "error: \xff\n"}};
    CHECK(to_line(json) == "{\"log\":\"error: \xef\xbf\xbd\\n\"}");
}
