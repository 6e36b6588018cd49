#include "kernels/registry.hpp"
#include "src/core/artifact_cache.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"
#include "tests/tuner/fakes.hpp"
#include "tuner/search_space.hpp"

#include <algorithm>
#include <filesystem>

using namespace fdkbench;
using Catch::Matchers::ContainsSubstring;
using fakes::sweep_options;

namespace {

constexpr const char* kBackend = "ranked fake";

using Skips = decltype(Family::skips);

/// One of two families for a backend of their own, each 3 × 3 points.
Family ranked_family(const char* name, bool fallback, Skips skips) {
    return {.name = name,
            .backend = kBackend,
            .source = "kernels/common/types.cuh",
            .summary = "",
            .fallback = fallback,
            .declines = [](const Problem&, const DeviceInfo&) -> std::optional<std::string> {
                return std::nullopt;
            },
            .axes =
                [](const Problem&, const DeviceInfo&) {
                    return std::vector<Axis>{{"tile", {2, 1, 4}}, {"warps", {4, 8, 2}}};
                },
            .skips = skips,
            .plan = [](const Problem&, const Params&, const DeviceInfo&) { return LaunchPlan{}; }};
}

std::optional<std::string> no_three(const Problem& problem, const Params&, const DeviceInfo&) {
    return problem.shape.m == 3 ? std::optional<std::string>("m is 3") : std::nullopt;
}

std::optional<std::string> nothing(const Problem&, const Params&, const DeviceInfo&) {
    return std::nullopt;
}

const RegisterFamily kLast(ranked_family("ranked_a_last", true, nothing));
const RegisterFamily kFirst(ranked_family("ranked_b_first", false, no_three));

std::size_t of_family(const CellPlan& cell, const std::string& family) {
    return static_cast<std::size_t>(
        std::ranges::count(cell.candidates, family, &Candidate::family));
}

CellPlan space(const SweepOptions& options) {
    return enumerate_candidates(options.problems.front(), chosen_families(options), options);
}

}  // namespace

TEST_CASE("A family's space is the product of its axes without the points that it skips") {
    const CellPlan cell = space(sweep_options({1}, {4}));
    CHECK(of_family(cell, "fake_mm") == 5);
    CHECK(of_family(cell, "fake_mv") == 6);
    CHECK(cell.skipped.at("fake_mm: tile 4 × warps 8 needs too many registers") == 1);
    CHECK(cell.skipped.at("fake_mv: prmt needs tile 32") == 2);
}

TEST_CASE("A family that declines the problem is counted with its reason") {
    const CellPlan cell = space(sweep_options({16}, {4}));
    CHECK(of_family(cell, "fake_mv") == 0);
    CHECK(cell.skipped.at("fake_mv: m is above 8") == 1);
}

TEST_CASE("Kernels that do not wait for their predecessor are not launched dependently") {
    SweepOptions options = sweep_options({1}, {4});
    options.policy.launch_mode = LaunchMode::kDependent;
    CHECK_THROWS_AS(space(options), UsageError);
    options.device.compute_capability = 90;
    const CellPlan cell = space(options);
    CHECK(of_family(cell, "fake_mm") == 0);
    CHECK(of_family(cell, "fake_mv") == 6);
    CHECK(cell.skipped.at("fake_mm: does not wait for its predecessor, so it is only launched "
                          "plainly") == 5);
}

TEST_CASE("A candidate's options and compile key are the same for every m") {
    const CellPlan one = space(sweep_options({1}, {4}));
    const CellPlan two = space(sweep_options({2}, {4}));
    REQUIRE(one.candidates.size() == two.candidates.size());
    const Candidate& candidate = one.candidates.front();
    CHECK(candidate.options == two.candidates.front().options);
    CHECK(candidate.compile_key == two.candidates.front().compile_key);
    CHECK(candidate.plan != two.candidates.front().plan);
    CHECK(std::ranges::find(candidate.options, "-DFDK_TILE=2") != candidate.options.end());
    CHECK(candidate.compile_key == compile_key(kernel_source(family_named("fake_mm")).digest,
                                               candidate.options,
                                               "fake_1",
                                               "fakec 1.0"));
}

TEST_CASE("A quick sweep changes one parameter at a time from the first values") {
    SweepOptions options = sweep_options({1}, {4});
    options.quick = true;
    const CellPlan cell = space(options);
    // From tile 2, warps 4: two other tiles and one other number of warps.
    CHECK(of_family(cell, "fake_mm") == 4);
    // The first point is skipped, the next one is split_k 2, tile 64, decode table.
    CHECK(of_family(cell, "fake_mv") == 3);
    const auto centre = std::ranges::find(cell.candidates, "fake_mv", &Candidate::family);
    CHECK(to_string(centre->params) == "split_k=2 tile=64 decode=table");
}

TEST_CASE("Beside a family that is no fallback, of one that is only first choices are tried") {
    SweepOptions options = sweep_options({1}, {4});
    options.device.backend = kBackend;
    const std::string reason =
        "ranked_a_last: more than one step from its first choice; --include '^ranked_a_last$' "
        "tries "
        "all, without the families that leave it behind";
    const CellPlan both = space(options);
    CHECK(of_family(both, "ranked_b_first") == 9);
    CHECK(of_family(both, "ranked_a_last") == 5);
    CHECK(both.skipped.at(reason) == 4);

    SweepOptions three = sweep_options({3}, {4});
    three.device.backend = kBackend;
    CHECK(of_family(space(three), "ranked_b_first") == 0);
    CHECK(of_family(space(three), "ranked_a_last") == 9);

    options.include = "^ranked_a_last$";
    const CellPlan alone = space(options);
    CHECK(of_family(alone, "ranked_a_last") == 9);
    CHECK(alone.skipped.empty());

    options.include = "";
    options.quick = true;
    CHECK(space(options).skipped.empty());
    CHECK(of_family(space(options), "ranked_a_last") == 5);
}

TEST_CASE("Family names are filtered by regular expressions") {
    SweepOptions options = sweep_options({1}, {4});
    options.include = "m[mv]$";
    options.exclude = "v";
    REQUIRE(chosen_families(options).size() == 1);
    CHECK(chosen_families(options)[0]->name == "fake_mm");

    options.include = "(";
    CHECK_THROWS_AS(chosen_families(options), UsageError);
    CHECK_THROWS_WITH(chosen_families(options), ContainsSubstring("--include '('"));
    CHECK_THROWS_WITH(chosen_families(options), ContainsSubstring("fake_mm, fake_mv"));
    options.include = "nothing_like_this";
    CHECK_THROWS_WITH(chosen_families(options), ContainsSubstring("fake_mm, fake_mv"));
}

TEST_CASE("No family for any problem is a usage error with each family's reason") {
    SweepOptions options = sweep_options({16, 32}, {4});
    options.include = "mv";
    fakes::MemorySink sink;
    CHECK_THROWS_AS(plan_sweep(options, sink), UsageError);
    CHECK_THROWS_WITH(plan_sweep(options, sink), ContainsSubstring("fake_mv: m is above 8"));
}

TEST_CASE("Cells are in an order in which m varies fastest, without duplicates") {
    fakes::MemorySink sink;
    const SweepPlan plan = plan_sweep(sweep_options({4, 1, 4}, {16, 4}), sink);
    REQUIRE(plan.cells.size() == 4);
    CHECK(plan.cells[0].problem.format.bits == plan.cells[1].problem.format.bits);
    CHECK(plan.cells[0].problem.shape.m == 1);
    CHECK(plan.cells[1].problem.shape.m == 4);
    CHECK(plan.candidates == 4 * 11);
    CHECK(plan.compiles == 2 * 11);
    CHECK(plan.estimate.count() > 0);
    CHECK_FALSE(std::filesystem::exists("/nonexistent"));
}

TEST_CASE("A plan leaves out what the sink has, unless forced") {
    SweepOptions options = sweep_options({1}, {4});
    fakes::MemorySink sink;
    const SweepPlan first = plan_sweep(options, sink);
    const Candidate& compiled = first.cells[0].candidates[0];
    const Candidate& failed = first.cells[0].candidates[1];
    sink.remember_binary(compiled.compile_key, "hash");
    sink.record(compiled, "hash", {});
    sink.record(failed, std::nullopt, {});

    const SweepPlan second = plan_sweep(options, sink);
    CHECK(second.candidates == 11);
    CHECK(second.already_measured == 2);
    CHECK(second.cells[0].candidates.size() == 9);
    CHECK(second.compiles == 9);

    options.force = true;
    const SweepPlan forced = plan_sweep(options, sink);
    CHECK(forced.already_measured == 0);
    CHECK(forced.cells[0].candidates.size() == 11);
}

TEST_CASE("Cells with given candidates are planned without the rest of their space") {
    SweepOptions options = sweep_options({1}, {4});
    const CellPlan all = space(options);
    CellPlan few{.problem = all.problem, .candidates = {all.candidates[3], all.candidates[7]}};
    fakes::MemorySink sink;
    sink.remember_binary(few.candidates[0].compile_key, "hash");
    sink.record(few.candidates[0], "hash", {});

    const SweepPlan plan = plan_cells({few}, options, sink);
    REQUIRE(plan.cells.size() == 1);
    REQUIRE(plan.cells[0].candidates.size() == 1);
    CHECK(plan.cells[0].candidates[0].compile_key == all.candidates[7].compile_key);
    CHECK(plan.candidates == 2);
    CHECK(plan.already_measured == 1);
    CHECK(plan.compiles == 1);
    CHECK(plan_cells({}, options, sink).cells.empty());
}

TEST_CASE("Of candidates known to be the same kernel one is planned") {
    const SweepOptions options = sweep_options({1}, {4});
    fakes::MemorySink sink;
    const SweepPlan first = plan_sweep(options, sink);
    for (const Candidate& candidate : first.cells[0].candidates) {
        sink.remember_binary(candidate.compile_key, "the same for all");
    }
    const SweepPlan second = plan_sweep(options, sink);
    CHECK(second.cells[0].candidates.size() == 5);  // tiles 1, 2, 4, 32 and 64 differ in the grid
}

TEST_CASE("What the cache has is not compiled again") {
    const test::TemporaryFolder folder;
    SweepOptions options = sweep_options({1}, {4});
    options.cache_dir = folder.path("cache");
    fakes::MemorySink sink;
    const SweepPlan plan = plan_sweep(options, sink);
    CHECK_FALSE(std::filesystem::exists(folder / "cache"));
    const ArtifactCache cache(folder / "cache");
    cache.publish(plan.cells[0].candidates[0].compile_key, std::vector<std::byte>(16));
    CHECK(plan.compiles == 11);
    CHECK(plan_sweep(options, sink).compiles == 10);
}
