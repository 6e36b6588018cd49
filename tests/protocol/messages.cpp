#include "src/protocol/messages.hpp"

#include "tests/catch.hpp"

#include <cmath>
#include <limits>
#include <set>

using namespace fdkbench;
using namespace fdkbench::protocol;

namespace {

template <typename T>
T round_trip(const T& message) {
    return Json::parse(to_line(Json(message))).template get<T>();
}

/// What a writer wrote is read, inside its envelope too; every other object is refused.
template <typename T>
void check_message(const T& message,
                   const char* envelope,
                   const std::set<std::string>& optional = {}) {
    const Json json = message;
    CHECK(Json(round_trip(message)) == json);
    for (const auto& item : json.items()) {
        CAPTURE(item.key());
        Json without = json;
        without.erase(item.key());
        if (optional.count(item.key()) == 0) {
            CHECK_THROWS_WITH(without.get<T>(), ContainsSubstring(item.key()));
        } else {
            CHECK(Json(without.get<T>()) == without);
        }
        Json wrong = json;
        wrong[item.key()] = nullptr;
        CHECK_THROWS(wrong.get<T>());
    }
    Json enveloped = json;
    enveloped[envelope] = "name";
    CHECK(Json(enveloped.get<T>()) == json);
    enveloped["surplus"] = 1;
    CHECK_THROWS_WITH(enveloped.get<T>(), ContainsSubstring("surplus"));
}

LaunchPlan some_plan() {
    LaunchPlan plan;
    LaunchStep& step = plan.steps.emplace_back();
    step.kernel = "lut_mv";
    step.grid = {512, 1, 1};
    step.block = {128, 1, 1};
    plan.workspace_bytes = 4096;
    return plan;
}

}  // namespace

TEST_CASE("Every request round-trips and is strict") {
    check_message(HelloRequest{}, "request");
    check_message(CeilingsRequest{.device = 3}, "request");
    const PrepareRequest prepare{.device = 1,
                                 .problem = {{1, 64, 128}, {4, 64}},
                                 .policy = {.seed = 9},
                                 .baselines = {"algorithm 1", "algorithm 3"},
                                 .floor = false};
    check_message(prepare, "request");
    CHECK(round_trip(prepare).baselines == prepare.baselines);
    CHECK_FALSE(round_trip(prepare).floor);
    check_message(CheckRequest{.slot = 2,
                               .binary = "/cache/objects/ab",
                               .plan = some_plan(),
                               .layout = Layout::kFragment},
                  "request");
    check_message(BlockRequest{.slots = {3, 1, 2}}, "request");
    check_message(EnergyRequest{.slot = 3}, "request");
    check_message(TimingEvent{.slot = -1}, "event");
    check_message(CompileRequest{"/cache", "lut_mv", {"-DFDK_N=64", "-DFDK_K=1"}, "sm_90a", "key"},
                  "request");
}

TEST_CASE("Every reply round-trips and is strict") {
    HelloReply hello;
    hello.backend = "cuda";
    hello.compiler = "nvrtc 13.0.88";
    hello.devices.resize(2);
    hello.devices[1].id = "cuda:1";
    hello.versions = {{"CUDA runtime", "13.0"}, {"cuBLAS", "13.1"}};
    check_message(hello, "reply");
    CHECK(round_trip(hello).devices.at(1).id == "cuda:1");
    CHECK(round_trip(hello).versions == hello.versions);

    check_message(CeilingsReply{{{"read", 1024, 3000.5, "GB/s"}, {"launch", 0, 2.5, "us"}}},
                  "reply");
    const PrepareReply prepared{"algorithm 3", 12.5, 13, {"algorithm 1"}, 10.25, 0.75, 7, 3};
    CHECK(round_trip(prepared).close_baselines == prepared.close_baselines);
    check_message(prepared, "reply", {"floor_us", "empty_launch_us", "compute_processes"});
    BlockReply block;
    block.after.sm_clock_mhz = 1980;
    block.after.throttle_reasons = {"sw_power_cap"};
    block.times_us = {4.5, 5.5};
    check_message(block, "reply");
    check_message(EnergyReply{123.5}, "reply", {"energy_uj"});
    check_message(CompileReply{CandidateStatus::kCompile, "error: \"x\"\nline 2", "", "", 0.25},
                  "reply");

    CheckReply check;
    check.status = CandidateStatus::kCorrect;
    check.accuracy = Accuracy{.rmse = 0.5, .nrmse = 1e-3};
    check.accuracy_original = Accuracy{.rmse = 1.5, .nrmse = 0.1};
    check.repeatable = false;
    check.resources = KernelResources{64, 1024, 8};
    check.time_us = 7.25;
    check_message(check, "reply", {"accuracy", "accuracy_original", "repeatable", "resources"});
}

TEST_CASE("A request stands on the wire as its documentation says") {
    CHECK(to_line(request_json(BlockRequest{.slots = {1, 0}})) ==
          R"({"slots":[1,0],"request":"block"})");
    CHECK(to_line(request_json(HelloRequest{})) == R"({"request":"hello"})");
    const Json reply =
        Json::parse(R"({"reply":"compile","status":"correct","message":"","binary_hash":"ab",)"
                    R"("binary":"/c/ab","seconds":0})");
    CHECK(reply.get<CompileReply>().binary_hash == "ab");
    CHECK(reply.get<CompileReply>().status == CandidateStatus::kCorrect);
}

TEST_CASE("What a check did not obtain has no key") {
    CheckReply failed;
    failed.status = CandidateStatus::kRuntime;
    failed.message = "illegal address";
    CHECK(to_line(Json(failed)) ==
          R"({"status":"runtime","message":"illegal address","time_us":0.0,"worker_ends":false})");
    const CheckReply back = round_trip(failed);
    CHECK(back.status == CandidateStatus::kRuntime);
    CHECK_FALSE(back.accuracy);
    CHECK_FALSE(back.repeatable);
}

TEST_CASE("The error of an output with a NaN reaches the coordinator as infinite") {
    CheckReply check;
    check.status = CandidateStatus::kCorrectness;
    const double infinity = std::numeric_limits<double>::infinity();
    check.accuracy = Accuracy{.rmse = infinity, .nrmse = infinity};
    CHECK(std::isinf(round_trip(check).accuracy.value().nrmse));
}

TEST_CASE("A word that is no layout is refused") {
    Json json = CheckRequest{.slot = 1, .binary = "/cache/ab", .plan = some_plan()};
    CHECK(json["layout"] == "canonical");
    json["layout"] = "tiled";
    CHECK_THROWS_WITH(json.get<CheckRequest>(), ContainsSubstring("choose canonical or fragment"));
}

TEST_CASE("A word that is no status is refused") {
    Json json = CompileReply{};
    json["status"] = "fine";
    CHECK_THROWS_WITH(json.get<CompileReply>(), ContainsSubstring("fine"));
}
