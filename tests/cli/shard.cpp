#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <algorithm>

using namespace fdkbench::test;

namespace {

ProgramResult sweep(const TemporaryFolder& folder,
                    const std::vector<std::string>& more,
                    const std::map<std::string, std::string>& environment = {}) {
    const std::vector<std::string> shapes{"1x64x128", "2x64x128", "1x64x256"};
    return run_fdkbench(joined(joined(host_sweep(folder.path("a.db"), folder.path("cache"), shapes),
                                      {"--include", "host_lut"}),
                               more),
                        environment);
}

}  // namespace

TEST_CASE("A shard plans its share") {
    const TemporaryFolder folder;
    const ProgramResult first = sweep(folder, {"--shard", "1/2", "--dry-run"});
    INFO(first.err);
    CHECK(first.exit_code == 0);
    CHECK_THAT(first.out, ContainsSubstring("cells       2"));
    CHECK_THAT(first.err, ContainsSubstring("shard 1 of 2: cells 1 to 2 of 3"));

    const ProgramResult array = sweep(folder,
                                      {"--shard", "auto", "--dry-run"},
                                      {{"SLURM_ARRAY_TASK_ID", "6"},
                                       {"SLURM_ARRAY_TASK_MIN", "4"},
                                       {"SLURM_ARRAY_TASK_MAX", "6"},
                                       {"SLURM_ARRAY_TASK_COUNT", "2"},
                                       {"SLURM_ARRAY_TASK_STEP", "2"}});
    CHECK(array.exit_code == 0);
    CHECK_THAT(array.err, ContainsSubstring("shard 2 of 2: cell 3 of 3"));
}

TEST_CASE("A shard without cells is done at once") {
    const TemporaryFolder folder;
    const ProgramResult result = sweep(folder, {"--shard", "5/5"});
    CHECK(result.exit_code == 0);
    CHECK(result.out.empty());
    CHECK_THAT(
        result.err,
        ContainsSubstring("shard 5 of 5: no cell of 3") && ContainsSubstring("Nothing to do"));
    CHECK_FALSE(std::filesystem::exists(folder.path("a.db")));
}

TEST_CASE("A shard is done too when no family can do its cells") {
    const TemporaryFolder folder;
    // The last of the six cells has plain 16-bit weights, which the family does not take.
    const ProgramResult plan = sweep(folder, {"-b", "16", "--shard", "6/6", "--dry-run"});
    CHECK(plan.exit_code == 0);
    CHECK_THAT(plan.out, ContainsSubstring("candidates  0"));
    const ProgramResult result = sweep(folder, {"-b", "16", "--shard", "6/6"});
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.err, ContainsSubstring("measured now: nothing"));
}

TEST_CASE("A shard that is none is refused") {
    const TemporaryFolder folder;
    for (const std::string text : {"0/2", "3/2", "2", "", "auto"}) {
        const ProgramResult result = sweep(folder, {"--shard", text, "--dry-run"});
        INFO(result.err);
        CHECK(result.exit_code == 2);
        CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
        CHECK_THAT(result.err, ContainsSubstring("--shard"));
    }
}
