#include "tests/cli/refused.hpp"

using namespace fdkbench::test;

namespace {

ProgramResult sweep(const TemporaryFolder& folder,
                    const std::string& db,
                    const std::string& shard) {
    return run_fdkbench(
        joined(host_sweep(folder.path(db), folder.path("cache"), {"1x64x128", "1x64x256"}),
               {"--include", "host_lut", "--shard", shard}));
}

std::string kernels(const std::string& db) {
    return query_csv(db,
                     "SELECT m, n, k, bits, family, params, binary_hash FROM candidates_flat"
                     " ORDER BY 1, 2, 3, 4, 5, 6, 7");
}

}  // namespace

TEST_CASE("The merged shards of a sweep are the sweep") {
    const TemporaryFolder folder;
    for (const std::string shard : {"1", "2"}) {
        const ProgramResult result = sweep(folder, "shard-" + shard + ".db", shard + "/2");
        INFO(result.err);
        REQUIRE(result.exit_code == 0);
    }
    const std::vector<std::string> command{
        "merge", folder.path("all.db"), folder.path("shard-1.db"), folder.path("shard-2.db")};
    const ProgramResult merged = run_fdkbench(command);
    INFO(merged.err);
    REQUIRE(merged.exit_code == 0);
    CHECK(merged.err.empty());
    CHECK_THAT(merged.out,
               ContainsSubstring("shard-2.db: ") && ContainsSubstring(" rows in 2 cells"));
    const ProgramResult again = run_fdkbench(command);
    CHECK_THAT(again.out, ContainsSubstring("shard-1.db: 0 rows added, 0 replaced, "));

    CHECK_THAT(sweep(folder, "all.db", "1/1").err, ContainsSubstring("measured now: nothing"));
    REQUIRE(sweep(folder, "whole.db", "1/1").exit_code == 0);
    CHECK(kernels(folder.path("all.db")) == kernels(folder.path("whole.db")));
}

TEST_CASE("A merge that cannot be is refused with a line that names the file") {
    const TemporaryFolder folder;
    check_refused(run_fdkbench({"merge"}), 2, {"fdkbench merge --help"});
    check_refused(run_fdkbench({"merge", folder.path("a.db")}), 2, {"fdkbench merge --help"});
    check_refused(run_fdkbench({"merge", folder.path("a.db"), folder.path("b.db")}), 2, {"b.db"});
    CHECK_FALSE(std::filesystem::exists(folder.path("a.db")));
}
