#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <filesystem>

using namespace fdkbench::test;

TEST_CASE("A full disk ends the sweep with a clear error and a database that opens") {
    const TemporaryFolder folder;
    const std::string disk = folder.path("disk");
    std::filesystem::create_directory(disk);
    if (run_shell("mount -t tmpfs -o size=200k tmpfs '" + disk + "'").exit_code != 0) {
        skip_program("this user may not mount a small disk");
    }
    run_shell("head -c 100k /dev/zero > '" + disk + "/filler'");
    const ProgramResult result = run_fdkbench({"sweep",
                                               "--device",
                                               "host",
                                               "--quick",
                                               "--shape",
                                               "1x96x512",
                                               "-b",
                                               "4",
                                               "--db",
                                               disk + "/a.db",
                                               "--cache-dir",
                                               folder.path("cache")});
    const ProgramResult check =
        run_fdkbench({"query", "--db", disk + "/a.db", "PRAGMA integrity_check"});
    run_shell("umount '" + disk + "'");
    INFO(result.err);
    CHECK(result.exit_code == 3);
    CHECK_THAT(result.err, ContainsSubstring("full"));
    INFO(check.err);
    CHECK_THAT(check.out, ContainsSubstring("ok"));
}
