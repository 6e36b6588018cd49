#include "src/worker/session.hpp"

#include "src/core/error.hpp"
#include "src/worker/device_lost.hpp"
#include "tests/catch.hpp"
#include "tests/worker/fake_backend.hpp"

#include <cmath>
#include <set>

using namespace fdkbench;

namespace {

/// A session on the fake backend.
struct Fixture {
    std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
    Session session{make_fake_backend(state)};
    std::vector<int> announced;  ///< slots of the last block

    protocol::PrepareReply prepare(const Problem& problem = small_problem(),
                                   const MeasuringPolicy& policy = {},
                                   std::size_t device = 0) {
        return session.prepare({.device = device, .problem = problem, .policy = policy});
    }
    protocol::BlockReply block(const std::vector<int>& slots) {
        announced.clear();
        return session.block({slots}, [this](int slot) { announced.push_back(slot); });
    }
    protocol::CheckReply check(const std::string& binary, int slot = 0) {
        return session.check({.slot = slot, .binary = "/cache/" + binary, .plan = {}});
    }
};

/// Bytes of the distinct weight copies that the last recorded replay reads.
std::int64_t rotated_bytes(const FakeState& state, std::int64_t copy_bytes) {
    std::set<const void*> copies;
    for (const Arguments& launch : state.recorded.back()) {
        copies.insert(launch.w);
    }
    return static_cast<std::int64_t>(copies.size()) * copy_bytes;
}

}  // namespace

TEST_CASE("A correct candidate passes in every format and type") {
    const WeightFormat format = GENERATE(WeightFormat{},
                                         WeightFormat{8, 64},
                                         WeightFormat{4, 32},
                                         WeightFormat{2, 128},
                                         WeightFormat{1, 64});
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const std::int64_t m = GENERATE(1, 3);
    Fixture fixture;
    fixture.prepare({.shape = {.m = m, .n = 24, .k = 128}, .format = format, .type = type});
    const auto reply = fixture.check("correct");
    CHECK(reply.message.empty());
    REQUIRE(reply.status == CandidateStatus::kCorrect);
    CHECK(reply.repeatable == true);
    CHECK(reply.resources->registers == 32);
    CHECK(reply.time_us == kFakeCandidateUs);
    CHECK(reply.accuracy->nrmse < 4e-3);
    if (format.quantised()) {
        CHECK(reply.accuracy_original->nrmse > reply.accuracy->nrmse);
    } else {
        CHECK(reply.accuracy_original->nrmse == reply.accuracy->nrmse);
    }
}

TEST_CASE("Quantisation to fewer bits costs more against the original weights") {
    const auto error = [](int bits) {
        Fixture fixture;
        fixture.prepare({.shape = {.m = 3, .n = 24, .k = 128}, .format = {bits, 64}});
        return fixture.check("correct").accuracy_original->nrmse;
    };
    CHECK(error(8) < error(4));
    CHECK(error(4) < error(1));
}

TEST_CASE("A wrong candidate is reported with what is wrong first") {
    struct Case {
        std::string binary;
        std::string message;
    };
    const Case wrong = GENERATE(
        Case{"writes_behind", "writes behind the output of 3 rows: first at y[3,0], 1 elements"},
        Case{"leaves_last", "leaves elements unwritten: first y[2,23], 1 of 72 elements"},
        Case{"wrong_when_ragged", "with m = 2: nrmse"},
        Case{"ignores_m", "with m = 2: writes behind the output of 2 rows: first at y[2,0], 24"},
        Case{"nan", "nrmse inf > 0.004: first at y[0,3]: got nan, expected"},
        Case{"off", "nrmse 0.0199 > 0.004: first at y[0,1]: got"},
        Case{"wrong_second_time", "second run: nrmse"});
    Fixture fixture;
    fixture.prepare();
    const auto reply = fixture.check(wrong.binary);
    INFO(wrong.binary);
    CHECK(reply.status == CandidateStatus::kCorrectness);
    CHECK_THAT(reply.message, ContainsSubstring(wrong.message));
    CHECK(reply.time_us == 0);
    CHECK_FALSE(reply.worker_ends);
    CHECK_THROWS_WITH(fixture.block({0}), ContainsSubstring("slot 0"));
}

TEST_CASE("A candidate is run for one row fewer and for about half of the rows") {
    const auto message = [](const char* binary, std::int64_t m) {
        Fixture fixture;
        fixture.prepare({.shape = {.m = m, .n = 24, .k = 128}, .format = {4, 64}});
        return fixture.check(binary).message;
    };
    CHECK_THAT(message("wrong_for_half", 20), ContainsSubstring("with m = 11: nrmse"));
    CHECK_THAT(message("wrong_for_half", 4), ContainsSubstring("with m = 3: nrmse"));
    CHECK_THAT(message("wrong_when_ragged", 2), ContainsSubstring("with m = 1: nrmse"));
    CHECK_THAT(message("wrong_for_one_less", 20), ContainsSubstring("with m = 19: nrmse"));
    CHECK(message("wrong_when_ragged", 1).empty());
}

TEST_CASE("The error of a candidate above the gate is kept, unless it is infinite") {
    Fixture fixture;
    fixture.prepare();
    CHECK(fixture.check("off").accuracy->nrmse == Approx(0.02).margin(0.002));
    CHECK_FALSE(fixture.check("nan").accuracy.has_value());
    MeasuringPolicy loose;
    loose.max_nrmse = 0.1;
    fixture.prepare(small_problem(), loose);
    CHECK(fixture.check("off").status == CandidateStatus::kCorrect);
}

TEST_CASE("A candidate that does not repeat bitwise is flagged, not failed") {
    Fixture fixture;
    fixture.prepare();
    const auto reply = fixture.check("unrepeatable");
    CHECK(reply.status == CandidateStatus::kCorrect);
    CHECK(reply.repeatable == false);
}

TEST_CASE("Errors of loading and launching become statuses and the worker goes on") {
    Fixture fixture;
    fixture.prepare();
    auto reply = fixture.check("load_fails");
    CHECK(reply.status == CandidateStatus::kConstraints);
    CHECK(reply.message == "too much shared memory");
    reply = fixture.check("launch_fails");
    CHECK(reply.status == CandidateStatus::kRuntime);
    CHECK_FALSE(reply.worker_ends);
    CHECK(fixture.check("correct").status == CandidateStatus::kCorrect);
}

TEST_CASE("What the machine lacks for one candidate is that candidate's status") {
    const std::string binary = GENERATE("load_lacks", "launch_lacks", "record_lacks");
    Fixture fixture;
    fixture.prepare();
    const auto reply = fixture.check(binary);
    INFO(binary);
    CHECK(reply.status == CandidateStatus::kConstraints);
    CHECK(reply.message == "no algorithm");
    CHECK_FALSE(reply.worker_ends);
    CHECK(fixture.check("correct").status == CandidateStatus::kCorrect);
}

TEST_CASE("A device fault ends the worker") {
    Fixture fixture;
    fixture.prepare();
    SECTION("in the check") {
        const auto reply = fixture.check("faults");
        CHECK(reply.status == CandidateStatus::kRuntime);
        CHECK(reply.message == "illegal address");
        CHECK(reply.worker_ends);
    }
    SECTION("in recording, where it surfaces as the error of another call") {
        const auto reply = fixture.check("faults_in_record");
        CHECK(reply.status == CandidateStatus::kRuntime);
        CHECK(reply.message == "cannot capture: illegal address");
        CHECK(reply.worker_ends);
    }
    SECTION("in a block") {
        CHECK(fixture.check("faults_later").status == CandidateStatus::kCorrect);
        CHECK_THROWS_AS(fixture.block({0}), DeviceLost);
    }
}

TEST_CASE("Every candidate has a workspace of its own that begins with zeros") {
    Fixture fixture;
    fixture.prepare();
    protocol::CheckRequest request{.slot = 0, .binary = "needs_zeros", .plan = {}};
    request.plan.workspace_bytes = 512;
    CHECK(fixture.session.check(request).status == CandidateStatus::kCorrect);
    const void* first = fixture.state->recorded.back().front().workspace;
    request.slot = 1;
    CHECK(fixture.session.check(request).status == CandidateStatus::kCorrect);
    CHECK(fixture.state->recorded.back().front().workspace != first);

    request.plan.workspace_bytes = 1 << 30;
    const auto reply = fixture.session.check(request);
    CHECK(reply.status == CandidateStatus::kConstraints);
    CHECK_THAT(reply.message, ContainsSubstring("out of memory"));
}

TEST_CASE("Weights rotate over the same byte budget in every format") {
    const WeightFormat format =
        GENERATE(WeightFormat{}, WeightFormat{8, 64}, WeightFormat{4, 32}, WeightFormat{1, 64});
    Fixture fixture;
    Problem problem = small_problem();
    problem.format = format;
    const std::int64_t copy_bytes = problem.weight_bytes() + problem.scale_bytes();
    const std::int64_t budget = 5 * kFakeCacheBytes;

    const auto reply = fixture.prepare(problem);
    const std::int64_t plain_bytes = 24 * 128 * 2;
    CHECK(rotated_bytes(*fixture.state, plain_bytes) >= budget);
    CHECK(rotated_bytes(*fixture.state, plain_bytes) < budget + plain_bytes);
    CHECK(reply.copies == (budget + copy_bytes - 1) / copy_bytes);

    fixture.check("correct");
    CHECK(rotated_bytes(*fixture.state, copy_bytes) >= budget);
    CHECK(rotated_bytes(*fixture.state, copy_bytes) < budget + copy_bytes);
}

TEST_CASE("Preparing tells how many processes use the device, where that is known") {
    Fixture fixture;
    CHECK_FALSE(fixture.prepare().compute_processes);
    fixture.state->compute_processes = 2;
    CHECK(fixture.prepare().compute_processes == 2);
}

TEST_CASE("A policy that cannot be measured under is refused") {
    Fixture fixture;
    CHECK_THROWS_AS(fixture.prepare(small_problem(), {.cache_bytes_factor = 0}), UsageError);
    CHECK_THROWS_AS(fixture.prepare(small_problem(), {.inputs = "gaussian"}), UsageError);
}

TEST_CASE("Preparing names the best baseline and the floor") {
    Fixture fixture;
    const auto reply = fixture.prepare();
    CHECK(reply.baseline == "algorithm 2");
    CHECK(reply.baseline_us == kFakeBaselineUs[1]);
    CHECK(reply.baseline_first_us == kFakeBaselineUs[0]);
    CHECK(reply.floor_us ==
          Approx(std::max(static_cast<double>(small_problem().bytes_moved()) / 1e4,
                          small_problem().flops() / 1e6)));
}

TEST_CASE("A block has the best baseline at both ends and the first once, each settled") {
    Fixture fixture;
    fixture.prepare();
    fixture.check("correct", 7);
    fixture.check("slow", 9);
    fixture.state->replayed.clear();
    const auto reply = fixture.block({9, 7, 9});
    CHECK(reply.times_us == std::vector<double>{kFakeSlowUs, kFakeCandidateUs, kFakeSlowUs});
    CHECK(reply.baseline_before_us == kFakeBaselineUs[1]);
    CHECK(reply.baseline_after_us == kFakeBaselineUs[1]);
    CHECK(reply.baseline_first_us == kFakeBaselineUs[0]);
    CHECK(reply.before.sm_clock_mhz == 1500.0);
    CHECK(reply.after.sm_clock_mhz == 1500.0);
    CHECK(fixture.announced == std::vector<int>{9, 7, 9, -1});
    // Before it comes the warming up; each timed replay follows one that is not timed.
    std::vector<std::string> expected;
    for (const char* name :
         {"algorithm 2", "slow", "correct", "slow", "algorithm 1", "algorithm 2"}) {
        expected.insert(expected.end(), 2, name);
    }
    const std::vector<std::string>& replayed = fixture.state->replayed;
    REQUIRE(replayed.size() > expected.size());
    const auto block = replayed.end() - static_cast<std::ptrdiff_t>(expected.size());
    CHECK(std::vector<std::string>(block, replayed.end()) == expected);
    CHECK(std::set<std::string>(replayed.begin(), block) == std::set<std::string>{"algorithm 2"});
}

TEST_CASE("A device that has just worked is not warmed up again") {
    Fixture fixture;
    fixture.prepare();
    fixture.check("correct");
    fixture.block({0});
    fixture.state->replayed.clear();
    fixture.block({0});
    CHECK(fixture.state->replayed.size() == 8);
}

TEST_CASE("Energy is counted between two ticks of the counter, per call") {
    Fixture fixture;
    fixture.prepare();
    fixture.check("correct");
    CHECK_FALSE(fixture.session.energy({.slot = 0}).energy_uj.has_value());
    fixture.state->counts_energy = true;
    // The fake counter ticks 7 uJ whenever it is read: once for each step of 10 ms of work.
    const auto launches = static_cast<double>(fixture.state->recorded.back().size());
    const double calls_a_step = launches * std::ceil(10'000 / (launches * kFakeCandidateUs));
    CHECK(fixture.session.energy({.slot = 0}).energy_uj.value() ==
          Approx(7 / calls_a_step).epsilon(0.02));
    CHECK_THROWS_WITH(fixture.session.energy({.slot = 3}), ContainsSubstring("slot 3"));
}

TEST_CASE("Hot weights are one copy, whatever the factor") {
    Fixture fixture;
    MeasuringPolicy policy;
    policy.cache = CachePolicy::kHot;
    CHECK(fixture.prepare(small_problem(), policy).copies == 1);
}

TEST_CASE("Dependent launches are for plans that wait, on devices that have them") {
    MeasuringPolicy policy;
    policy.launch_mode = LaunchMode::kDependent;
    Fixture without;
    CHECK_THROWS_AS(without.prepare(small_problem(), policy), UsageError);
    CHECK_THROWS_WITH(without.check("correct"), ContainsSubstring("prepare request first"));

    Fixture fixture;
    fixture.state->compute_capability = 90;
    fixture.prepare(small_problem(), policy);
    LaunchPlan plan;
    plan.steps.emplace_back();
    const auto check = [&] {
        return fixture.session.check({.slot = 0, .binary = "correct", .plan = plan});
    };
    const auto refused = check();
    CHECK(refused.status == CandidateStatus::kConstraints);
    CHECK_THAT(refused.message, ContainsSubstring("does not wait for its predecessor"));
    CHECK(fixture.state->modes.empty());

    plan.steps[0].waits_for_predecessor = true;
    CHECK(check().status == CandidateStatus::kCorrect);
    fixture.prepare();
    CHECK(check().status == CandidateStatus::kCorrect);
    CHECK(fixture.state->modes ==
          std::vector<LaunchMode>{LaunchMode::kDependent, LaunchMode::kPlain});
}

TEST_CASE("Inputs change the data, and zeros give a product of zeros that kernels must meet") {
    Fixture fixture;
    MeasuringPolicy policy;
    policy.inputs = GENERATE(as<std::string>(), "uniform", "zeros");
    fixture.prepare(small_problem(), policy);
    CHECK(fixture.check("correct").status == CandidateStatus::kCorrect);
    CHECK(fixture.check("off").status ==
          (policy.inputs == "zeros" ? CandidateStatus::kCorrect : CandidateStatus::kCorrectness));
}

TEST_CASE("Preparing forgets the slots of the last problem") {
    Fixture fixture;
    fixture.prepare();
    fixture.check("correct");
    fixture.prepare();
    CHECK_THROWS_AS(fixture.block({0}), Error);
}

TEST_CASE("A failed prepare leaves nothing prepared") {
    Fixture fixture;
    fixture.prepare();
    fixture.state->memory_bytes = 0;
    CHECK_THROWS_AS(fixture.prepare(), EnvironmentError);
    CHECK_THROWS_WITH(fixture.check("correct"), ContainsSubstring("prepare request first"));
    fixture.state->memory_bytes = 64 << 20;
    fixture.prepare();
    CHECK(fixture.check("correct").status == CandidateStatus::kCorrect);
}

TEST_CASE("A new m keeps the copies of the weights; a new format frees them first") {
    Fixture fixture;
    Problem problem = small_problem();
    fixture.prepare(problem);
    fixture.check("correct");
    const void* copy = fixture.state->recorded.back().front().w;
    problem.shape.m = 1;
    fixture.prepare(problem);
    fixture.check("correct");
    CHECK(fixture.state->recorded.back().front().w == copy);

    fixture.state->peak_bytes = 0;
    problem.format.bits = 8;
    fixture.prepare(problem);
    const auto budget = static_cast<std::size_t>(5 * kFakeCacheBytes);
    // Two budgets (plain and quantised), x, y with its guard and workspaces, but no third budget.
    CHECK(fixture.state->peak_bytes < 2 * budget + budget / 2);
    CHECK(fixture.check("correct").status == CandidateStatus::kCorrect);
}

TEST_CASE("All device memory is freed with the session") {
    auto state = std::make_shared<FakeState>();
    {
        Session session(make_fake_backend(state));
        session.prepare({.device = 0, .problem = small_problem(), .policy = {}});
        session.check({.slot = 0, .binary = "correct", .plan = {}});
        CHECK(state->live_bytes > 0);
    }
    CHECK(state->live_bytes == 0);
}

TEST_CASE("The device is opened when first needed and again when another is asked for") {
    Fixture fixture;
    CHECK(fixture.session.devices().size() == 2);
    CHECK(fixture.state->opened.empty());
    fixture.session.ceilings({.device = 0});
    fixture.prepare();
    fixture.prepare();
    fixture.prepare(small_problem(), {}, 1);
    CHECK(fixture.state->opened == std::vector<std::size_t>{0, 1});
    CHECK(fixture.check("correct").status == CandidateStatus::kCorrect);
    CHECK_THROWS_AS(fixture.session.ceilings({.device = 5}), EnvironmentError);
}

TEST_CASE("Unknown inputs and impossible problems are refused") {
    Fixture fixture;
    MeasuringPolicy policy;
    policy.inputs = "lognormal";
    CHECK_THROWS_WITH(fixture.prepare(small_problem(), policy),
                      ContainsSubstring("normal, uniform, zeros or a safetensors file"));
    Problem problem = small_problem();
    problem.format.bits = 3;
    CHECK_THROWS_AS(fixture.prepare(problem), UsageError);
    CHECK(fixture.state->opened.empty());
}
