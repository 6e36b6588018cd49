#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/worker/host_data.hpp"
#include "src/worker/session.hpp"
#include "tests/catch.hpp"
#include "tests/worker/fake_backend.hpp"

#include <cstring>
#include <set>

using namespace fdkbench;

namespace {

constexpr auto kCanonical = Layout::kCanonical;
constexpr auto kFragment = Layout::kFragment;
constexpr std::size_t kBudgetBytes = 5 * kFakeCacheBytes;

/// n and k are no whole blocks of fragments, so that these are larger than the canonical weights.
Problem ragged_problem(const WeightFormat& format = {4, 64}) {
    return {.shape = {.m = 3, .n = 24, .k = 192}, .format = format};
}

/// Both layouts have the same number of bytes.
Problem whole_problem() {
    return {.shape = {.m = 3, .n = 32, .k = 256}, .format = {.bits = 4, .group_size = 64}};
}

/// A session on the fake backend, with a problem prepared.
struct Fixture {
    explicit Fixture(const Problem& problem) { prepare(problem); }
    void prepare(const Problem& problem) {
        session.prepare({.device = 0, .problem = problem, .policy = {}});
    }
    protocol::CheckReply check(const std::string& binary, Layout layout, int slot = 0) {
        return session.check(
            {.slot = slot, .binary = "/cache/" + binary, .plan = {}, .layout = layout});
    }
    [[nodiscard]] const std::vector<Arguments>& recorded() const { return state->recorded.back(); }

    std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
    Session session{make_fake_backend(state)};
};

template <typename T>
bool holds(const void* memory, const std::vector<T>& values) {
    return std::memcmp(memory, values.data(), values.size() * sizeof(T)) == 0;
}

/// Whether every launch gets these weights.
bool all_hold(const std::vector<Arguments>& launches, const auto& matrix) {
    return std::ranges::all_of(launches, [&](const Arguments& launch) {
        return holds(launch.w, matrix.weight_data) && holds(launch.scales, matrix.scale) &&
               holds(launch.codebook, matrix.codebook);
    });
}

std::size_t copies(const std::vector<Arguments>& launches) {
    std::set<const void*> all;
    for (const Arguments& launch : launches) {
        all.insert(launch.w);
    }
    return all.size();
}

}  // namespace

TEST_CASE("A candidate gets the weights in its layout, in every copy") {
    const Problem problem = ragged_problem(GENERATE(
        WeightFormat{8, 64}, WeightFormat{4, 32}, WeightFormat{2, 192}, WeightFormat{1, 64}));
    HostData host;
    host.prepare(problem, InputsKey({}));
    const QuantisedMatrix& canonical = host.quantised().matrix;
    const FragmentMatrix fragments = to_fragments(canonical, problem.shape, problem.format, 1);

    Fixture fixture(problem);
    CHECK(fixture.check("reads_fragments", kFragment).message.empty());
    CHECK(all_hold(fixture.recorded(), fragments));
    const std::size_t copy_bytes = fragments.weight_data.size() + fragments.scale.size() * 2;
    CHECK(copies(fixture.recorded()) == (kBudgetBytes + copy_bytes - 1) / copy_bytes);

    CHECK(fixture.check("correct", kCanonical).message.empty());
    CHECK(all_hold(fixture.recorded(), canonical));
}

TEST_CASE("Weights in another layout than a candidate reads are wrong") {
    Fixture fixture(whole_problem());
    CHECK(fixture.check("reads_fragments", kFragment).status == CandidateStatus::kCorrect);
    CHECK(fixture.check("reads_fragments", kCanonical).status == CandidateStatus::kCorrectness);
    CHECK(fixture.check("correct", kFragment).status == CandidateStatus::kCorrectness);
    CHECK(fixture.check("correct", kCanonical).status == CandidateStatus::kCorrect);
}

TEST_CASE("Candidates of both layouts are timed side by side") {
    Fixture fixture(ragged_problem());
    fixture.check("reads_fragments", kFragment, 0);
    fixture.check("slow", kCanonical, 1);
    const auto reply = fixture.session.block({{0, 1}}, [](int /*slot*/) {});
    CHECK(reply.times_us == std::vector<double>{kFakeCandidateUs, kFakeSlowUs});
}

TEST_CASE("A layout that no candidate reads is not uploaded") {
    const Layout layout = GENERATE(kCanonical, kFragment);
    Fixture fixture(ragged_problem());
    CHECK(fixture.state->peak_bytes < kBudgetBytes + kBudgetBytes / 2);  // of the baseline
    fixture.check(layout == kCanonical ? "correct" : "reads_fragments", layout);
    CHECK(fixture.state->peak_bytes < 2 * kBudgetBytes + kBudgetBytes / 2);
    fixture.check("correct", layout == kCanonical ? kFragment : kCanonical);
    CHECK(fixture.state->peak_bytes > 3 * kBudgetBytes);
}

TEST_CASE("A new m keeps the fragments; another format frees both layouts first") {
    Problem problem = ragged_problem();
    Fixture fixture(problem);
    fixture.check("correct", kCanonical);
    fixture.check("reads_fragments", kFragment);
    const void* copy = fixture.recorded().front().w;
    problem.shape.m = 1;
    fixture.prepare(problem);
    CHECK(fixture.check("reads_fragments", kFragment).status == CandidateStatus::kCorrect);
    CHECK(fixture.recorded().front().w == copy);

    fixture.state->peak_bytes = 0;
    problem.format.bits = 8;
    fixture.prepare(problem);
    CHECK(fixture.state->peak_bytes < kBudgetBytes + kBudgetBytes / 2);
    CHECK(fixture.check("reads_fragments", kFragment).status == CandidateStatus::kCorrect);
}

TEST_CASE("16-bit weights are the same in every layout") {
    Fixture fixture(ragged_problem({}));
    CHECK(fixture.check("correct", kFragment).status == CandidateStatus::kCorrect);
    const void* copy = fixture.recorded().front().w;
    CHECK(fixture.check("correct", kCanonical).status == CandidateStatus::kCorrect);
    CHECK(fixture.recorded().front().w == copy);
    CHECK(fixture.state->peak_bytes < kBudgetBytes + kBudgetBytes / 2);
}

TEST_CASE("A device without room for the weights is no fault of the candidate that asks first") {
    Fixture fixture(ragged_problem());
    fixture.check("correct", kCanonical);
    fixture.state->memory_bytes = fixture.state->live_bytes + kBudgetBytes / 2;
    CHECK_THROWS_AS(fixture.check("reads_fragments", kFragment), EnvironmentError);
    CHECK(fixture.check("correct", kCanonical).status == CandidateStatus::kCorrect);
}
