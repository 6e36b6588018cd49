#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"
#include "tests/results/script.hpp"

using namespace fdkbench;

namespace {

/// What sweeps found in one cell, each in a database of its own: of two kernels the ratios.
ScriptRun agreement_of(const std::vector<std::pair<double, double>>& sweeps,
                       const std::string& options = "") {
    const TemporaryFolder folder;
    std::string command = "scripts/agreement " + options;
    for (std::size_t i = 0; i < sweeps.size(); ++i) {
        const std::string path = folder / ("run-" + std::to_string(i) + ".db");
        Store store = Store::open(path);
        store.begin_run(fictional_run());
        const auto [first, second] = sweeps[i];
        store.add(candidate(4), "a", correct(first, 64, 6));
        store.add(candidate(8), "b", correct(second, 64, 6));
        command += " '" + path + "'";
    }
    return run_script(command);
}

}  // namespace

TEST_CASE("Sweeps agree that have the same winner and nearly the same ratio") {
    const ScriptRun run = agreement_of({{2, 1}, {2.01, 1.1}, {2.015, 1}});
    CAPTURE(run.output);
    CHECK(run.code == 0);
    CHECK_THAT(run.output,
               ContainsSubstring("1    128    256    4     0.75  3 of 3: lut_mv") &&
                   ContainsSubstring("3 sweeps, 1 cells: they agree"));
}

TEST_CASE("Sweeps do not agree whose ratios are apart") {
    CHECK(agreement_of({{2, 1}, {2.03, 1}}).code == 1);
    CHECK(agreement_of({{2, 1}, {2.03, 1}}, "--limit 2").code == 0);
}

TEST_CASE("Sweeps do not agree when a winner does not tie in each of them") {
    const ScriptRun run = agreement_of({{2, 1}, {1, 2}, {2, 1}});
    CAPTURE(run.output);
    CHECK(run.code == 1);
    CHECK_THAT(run.output, ContainsSubstring("2 of 3: ") && ContainsSubstring("outside the tie 3"));
    // Another winner that does is none the worse.
    CHECK(agreement_of({{2, 2.001}, {2.001, 2}}).code == 0);
}

TEST_CASE("Sweeps do not agree when one lacks a cell of the others") {
    const TemporaryFolder folder;
    std::string command = "scripts/agreement";
    for (const std::int64_t cells : {1, 2}) {
        const std::string path = folder / (std::to_string(cells) + ".db");
        Store store = Store::open(path);
        store.begin_run(fictional_run());
        for (std::int64_t m = 1; m <= cells; ++m) {
            store.add(candidate(4, small_problem(m)), "a", correct(2, 64, 6));
        }
        command += " '" + path + "'";
    }
    const ScriptRun run = run_script(command);
    CAPTURE(run.output);
    CHECK(run.code == 1);
    CHECK_THAT(run.output, ContainsSubstring("only in 1 of 2 sweeps"));
}

TEST_CASE("What cannot be compared is refused") {
    CHECK(run_script("scripts/agreement one.db").code == 2);
    const ScriptRun run = run_script("scripts/agreement README.md meson.build");
    CHECK(run.code == 2);
    CHECK_THAT(run.output, ContainsSubstring("README.md is no database of fdkbench"));
}
