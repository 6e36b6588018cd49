#include "tests/catch.hpp"
#include "tests/cli/gpu.hpp"
#include "tests/cli/library.hpp"
#include "tests/cli/program.hpp"

using namespace fdkbench::test;

TEST_CASE("On a GPU the example multiplies with a bundle that was swept there") {
    require_gpu();
    const TemporaryFolder folder;
    const std::vector<std::string> place{
        "--db", folder.path("a.db"), "--cache-dir", folder.path("cache")};
    // The readme's commands; so small a matrix cannot be made cold in a reasonable time.
    const ProgramResult sweep = run_fdkbench(joined(
        {"sweep", "--device", "cuda:0", "--quick", "--cache-bytes-factor", "0.05", "-b", "4"},
        joined(place, {"-g", "64", "--shape", "5x96x512"})));
    INFO(sweep.err);
    REQUIRE(sweep.exit_code == 0);
    const std::string bundle = folder.path("gpu.fdk");
    const ProgramResult exported =
        run_fdkbench(joined({"export-table", "--bundle", bundle}, place));
    INFO(exported.err);
    REQUIRE(exported.exit_code == 0);
    const std::string example = compiled_example(folder.path("example"), for_gpu());
    for (const int m : {1, 5, 40, 513}) {
        INFO("m " << m);
        const ProgramResult multiplied =
            run_shell("'" + example + "' '" + bundle + "' " + std::to_string(m));
        INFO(multiplied.err << multiplied.out);
        CHECK(multiplied.exit_code == 0);
    }
}
