#include "src/worker/timing.hpp"

#include "src/worker/device_lost.hpp"
#include "tests/catch.hpp"
#include "tests/worker/fake_backend.hpp"

#include <set>

using namespace fdkbench;

namespace {

/// Records a candidate over `copies` copies of the weights.
struct Timed {
    std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
    std::unique_ptr<Backend> backend = make_fake_backend(state);
    std::unique_ptr<Runnable> runnable;
    TimedReplay timed;

    Timed(const std::string& binary, std::size_t copies, const TimingOptions& options) {
        runnable = backend->load(binary, {}, small_problem(), LaunchMode::kPlain);
        std::vector<Arguments> rotation(copies);
        for (std::size_t i = 0; i < copies; ++i) {
            rotation[i].m = static_cast<int>(i);
        }
        timed = record_timed(*backend, *runnable, rotation, options);
    }
    [[nodiscard]] const std::vector<Arguments>& launches() const { return state->recorded.back(); }
};

}  // namespace

TEST_CASE("A replay lasts about half a millisecond") {
    const Timed few("correct", 3, {});
    CHECK(few.launches().size() == 100);  // of 5 us
    CHECK(few.timed.time_us == kFakeCandidateUs);
}

TEST_CASE("A replay goes through every copy, in turn") {
    const Timed many("correct", 777, {});
    REQUIRE(many.launches().size() == 777);
    for (std::size_t i = 0; i < 777; ++i) {
        REQUIRE(many.launches()[i].m == static_cast<int>(i));
    }
}

TEST_CASE("A replay never lasts longer than 20 ms") {
    CHECK(Timed("slow", 100'000, {}).launches().size() == 200);  // of 100 us
}

TEST_CASE("A hopeless runnable gets one replay of the full rotation") {
    const Timed patient("slow", 50, {.replays = 3, .hopeless_us = 101});
    const Timed hopeless("slow", 50, {.replays = 3, .hopeless_us = 99});
    CHECK(patient.launches().size() == 50);
    CHECK(hopeless.launches().size() == 50);
    CHECK(patient.state->replayed.size() == 2 + 1 + 3);
    CHECK(hopeless.state->replayed.size() == 2 + 1);
}

TEST_CASE("The device rests for as long as it works while a replay settles, and only then") {
    Timed timed("slow", 3, {});  // 100 us a launch
    CHECK(timed.state->rested_us == 0);
    time_settled(*timed.backend, timed.timed);
    CHECK(timed.state->rested_us == Approx(2 * 500));
}

TEST_CASE("What is recorded again has as many launches") {
    Timed timed("correct", 3, {});
    const std::size_t before = timed.launches().size();
    record_again(*timed.backend, *timed.runnable, std::vector<Arguments>(5), timed.timed);
    CHECK(timed.launches().size() == before);
    CHECK(timed.launches().front().m == 0);
}

TEST_CASE("A fault in a replay means that the device is lost") {
    const Timed timed("faults_later", 3, {.replays = 1});
    CHECK_THROWS_AS(time_once(*timed.timed.replay), DeviceLost);
}
