#include "src/core/error.hpp"
#include "src/worker/device_data.hpp"
#include "src/worker/session.hpp"
#include "tests/catch.hpp"
#include "tests/worker/fake_backend.hpp"

#include <cstring>
#include <set>

using namespace fdkbench;

namespace {

using Names = std::vector<std::string>;

/// A session on the fake backend.
struct Fixture {
    std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
    Session session{make_fake_backend(state)};

    protocol::PrepareReply prepare(const Problem& problem = small_problem()) {
        return session.prepare({.device = 0, .problem = problem, .policy = {}});
    }
    protocol::PrepareReply prepare_with(const Names& baselines) {
        state->replayed.clear();
        return session.prepare(
            {.device = 0, .problem = small_problem(), .policy = {}, .baselines = baselines});
    }
    /// The names of what was replayed.
    [[nodiscard]] std::set<std::string> replayed() const {
        return {state->replayed.begin(), state->replayed.end()};
    }
    /// How many matrices of weights were held for the references of this problem.
    int held_for(const Problem& problem) {
        const int before = state->held;
        prepare(problem);
        return state->held - before;
    }
    [[nodiscard]] bool checks_right() {
        return session.check({.slot = 0, .binary = "correct", .plan = {}}).status ==
               CandidateStatus::kCorrect;
    }
};

Problem with(std::int64_t m, const WeightFormat& format) {
    Problem problem = small_problem();
    problem.shape.m = m;
    problem.format = format;
    return problem;
}

bool holds(const Buffer& buffer, std::span<const float> values) {
    return buffer.bytes() == values.size_bytes() &&
           std::memcmp(buffer.data(), values.data(), buffer.bytes()) == 0;
}

}  // namespace

TEST_CASE(
    "The weights of the references are uploaded once for all m, the plain ones for all bits") {
    Fixture fixture;
    CHECK(fixture.held_for(with(3, {4, 64})) == 2);
    CHECK(fixture.held_for(with(1, {4, 64})) == 0);
    CHECK(fixture.checks_right());
    CHECK(fixture.held_for(with(1, {2, 64})) == 1);
    CHECK(fixture.checks_right());
    CHECK(fixture.held_for(with(2, {})) == 0);
    CHECK(fixture.checks_right());
    CHECK(fixture.held_for(with(2, {2, 64})) == 1);
    Problem wide = with(2, {2, 64});
    wide.shape.n = 32;
    CHECK(fixture.held_for(wide) == 2);
    CHECK(fixture.checks_right());
}

TEST_CASE("Weights of the references that are no longer wanted are freed before others come") {
    Fixture fixture;
    const Problem first = {.shape = {.m = 1, .n = 512, .k = 1024}, .format = {4, 64}};
    fixture.prepare(first);
    const std::size_t live = fixture.state->live_bytes;
    fixture.state->peak_bytes = 0;
    Problem other = first;
    other.type = ElementType::kFp16;
    fixture.prepare(other);
    CHECK(fixture.state->live_bytes == live);
    constexpr std::size_t kOneMatrix = 512 * 1024 * sizeof(float);
    CHECK(fixture.state->peak_bytes < live + kOneMatrix);
}

TEST_CASE("Weights are held again where the host has them in another place") {
    const auto state = std::make_shared<FakeState>();
    const auto backend = make_fake_backend(state);
    const Problem problem = small_problem();
    HostData one;
    HostData two;
    one.prepare(problem, InputsKey({}));
    two.prepare(problem, InputsKey({}));
    DeviceData data(*backend);
    data.prepare(problem, InputsKey({}), one, 0);
    CHECK(state->held == 2);
    data.prepare(problem, InputsKey({}), two, 0);
    CHECK(state->held == 4);
    CHECK(holds(data.kernel_values(), two.kernel_weights()));
    CHECK(holds(data.plain_values(), two.plain().values));
}

TEST_CASE("Preparing names the first baseline that works and those within 3 % of the best") {
    Fixture fixture;
    CHECK(fixture.prepare().close_baselines == Names{"algorithm 1", "algorithm 2"});
    fixture.state->baseline_us = {0, 14, 10.31, 10.29, 10, 10.1};
    const auto reply = fixture.prepare();
    CHECK(reply.close_baselines ==
          Names{"algorithm 2", "algorithm 4", "algorithm 5", "algorithm 6"});
    CHECK(reply.baseline == "algorithm 5");
    CHECK(reply.baseline_first_us == 14);
}

TEST_CASE("Only the baselines that are named are timed, and the best of them is chosen") {
    Fixture fixture;
    auto reply = fixture.prepare_with({"algorithm 2", "algorithm 1"});
    CHECK(fixture.replayed() == std::set<std::string>{"algorithm 1", "algorithm 2"});
    CHECK(reply.baseline == "algorithm 2");
    CHECK(reply.baseline_first_us == kFakeBaselineUs[0]);
    CHECK(fixture.checks_right());

    reply = fixture.prepare_with({"algorithm 1", "algorithm 3"});
    CHECK(fixture.replayed() == std::set<std::string>{"algorithm 1", "algorithm 3"});
    CHECK(reply.baseline == "algorithm 1");
    CHECK(reply.close_baselines == Names{"algorithm 1"});
}

TEST_CASE("All baselines are timed when one that is named is not there") {
    Fixture fixture;
    const Names names = GENERATE(Names{}, Names{"algorithm 1", "algorithm 3 of 8"});
    const auto reply = fixture.prepare_with(names);
    CHECK(fixture.replayed() == std::set<std::string>{"algorithm 1", "algorithm 2", "algorithm 3"});
    CHECK(reply.baseline == "algorithm 2");
}

TEST_CASE("The floor and the empty launch are measured where they are wanted") {
    Fixture fixture;
    CHECK(fixture.prepare().floor_us > 0);
    CHECK(fixture.prepare().empty_launch_us == 0.5);
    const auto reply = fixture.session.prepare(
        {.device = 0, .problem = small_problem(), .policy = {}, .baselines = {}, .floor = false});
    CHECK_FALSE(reply.floor_us);
    CHECK_FALSE(reply.empty_launch_us);
    CHECK(reply.copies > 0);
    CHECK(fixture.checks_right());
}
