#include "src/core/error.hpp"
#include "src/worker/device_data.hpp"
#include "src/worker/session.hpp"
#include "tests/catch.hpp"
#include "tests/worker/fake_backend.hpp"

#include <cstring>

using namespace fdkbench;

namespace {

/// A session on the fake backend.
struct Fixture {
    std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
    Session session{make_fake_backend(state)};

    protocol::PrepareReply prepare(const Problem& problem = small_problem()) {
        return session.prepare({.device = 0, .problem = problem, .policy = {}});
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
