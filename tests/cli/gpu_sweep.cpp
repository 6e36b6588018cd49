#include "kernels/registry.hpp"
#include "tests/catch.hpp"
#include "tests/cli/gpu.hpp"
#include "tests/cli/program.hpp"

using namespace fdkbench::test;

namespace {

/// Sweeps the shapes with every family, format and group size, and checks that nothing failed.
void check_all_correct(const std::vector<std::string>& shapes,
                       const std::vector<std::string>& group_sizes) {
    require_gpu();
    const TemporaryFolder folder;
    std::vector<std::string> arguments{"sweep", "--device", "cuda:0", "--quick", "--db"};
    arguments.push_back(folder.path("a.db"));
    // Tiny matrices cannot be made cold in a reasonable time, and times do not matter here.
    arguments.insert(arguments.end(), {"--cache-bytes-factor", "0.05"});
    for (const std::string word : {"-b", "16", "8", "4", "2", "1", "-t", "bf16", "fp16", "-g"}) {
        arguments.push_back(word);
    }
    arguments.insert(arguments.end(), group_sizes.begin(), group_sizes.end());
    arguments.push_back("--shape");
    arguments.insert(arguments.end(), shapes.begin(), shapes.end());
    const ProgramResult result = run_fdkbench(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const std::string counts =
        "SELECT family, bits, type, group_size, status, count(*), min(m), min(message)"
        " FROM candidates_flat WHERE status != 'correct' GROUP BY 1, 2, 3, 4, 5";
    const ProgramResult failed =
        run_fdkbench({"query", "--db", folder.path("a.db"), "--format", "csv", counts});
    CHECK(failed.out == "family,bits,type,group_size,status,count(*),min(m),min(message)\n");
    std::string expected = "family\n";
    for (const fdkbench::Family& family : fdkbench::families()) {
        expected += family.backend == "cuda" ? family.name + "\n" : "";
    }
    const ProgramResult families = run_fdkbench(
        {"query",
         "--db",
         folder.path("a.db"),
         "--format",
         "csv",
         "SELECT DISTINCT family FROM candidates_flat WHERE status = 'correct' ORDER BY family"});
    CHECK(families.out == expected);
}

}  // namespace

TEST_CASE("On a GPU every family is correct for every format of aligned shapes") {
    check_all_correct({"1x256x512", "8x256x512", "64x256x512"}, {"32", "64", "128", "k"});
}

TEST_CASE("On a GPU every family is correct where n, k and m divide nothing") {
    check_all_correct({"3x37x192", "17x133x320", "70x1001x4160"}, {"32", "64", "k"});
}

TEST_CASE("On a GPU dependent launches are measured of what waits, and their table says so") {
    require_gpu();
    const TemporaryFolder folder;
    const std::string db = folder.path("a.db");
    const std::vector<std::string> sweep{"sweep",
                                         "--device",
                                         "cuda:0",
                                         "--quick",
                                         "--cache-bytes-factor",
                                         "0.05",
                                         "--shape",
                                         "1x256x512",
                                         "8x1001x4160",
                                         "--launch",
                                         "dependent",
                                         "-b",
                                         "8",
                                         "4",
                                         "2",
                                         "1",
                                         "--db",
                                         db};
    const ProgramResult plan = run_fdkbench(joined(sweep, {"--dry-run"}));
    if (plan.exit_code == 2 && plan.err.find("compute capability 9.0") != std::string::npos) {
        WARN("skipped: " << plan.err);
        return;
    }
    CHECK_THAT(plan.out, ContainsSubstring("lut_mv: does not wait for its predecessor"));

    const ProgramResult result = run_fdkbench(sweep);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK_THAT(result.out, ContainsSubstring("not of one call"));
    CHECK(query_csv(db, "SELECT DISTINCT status FROM candidates_flat") == "status\ncorrect\n");
    CHECK(query_csv(db, "SELECT count(*) FROM best WHERE policy LIKE '%-dependent-%'") ==
          "count(*)\n8\n");
    const ProgramResult table = run_fdkbench({"export-table", "--db", db});
    CHECK_THAT(table.out,
               ContainsSubstring("\"launch_mode\": \"dependent\"") &&
                   ContainsSubstring("\"waits_for_predecessor\": true"));
    CHECK_THAT(table.err, ContainsSubstring("not of one call"));
}
