#include "tests/catch.hpp"
#include "tests/cli/program.hpp"
#include "tests/cli/refused.hpp"

#include <fstream>

using namespace fdkbench::test;

TEST_CASE("An unknown option is refused with the help to ask for") {
    check_refused(run_fdkbench({"sweep", "--bitz", "4"}), 2, {"--bitz", "fdkbench sweep --help"});
    check_refused(run_fdkbench({"fly"}), 2, {"fly", "--help"});
}

TEST_CASE("Impossible sizes are refused with what is allowed") {
    check_refused(run_fdkbench({"sweep", "-m", "0"}), 2, {"m", "0"});
    check_refused(run_fdkbench({"sweep", "-m", "-4"}), 2, {"-4"});
    check_refused(run_fdkbench({"sweep", "-k", "99999999999"}), 2, {"99999999999"});
    check_refused(run_fdkbench({"sweep", "-n", "many"}), 2, {"many", "k for n = k"});
    check_refused(run_fdkbench({"sweep", "--shape", "16x4096"}), 2, {"16x4096", "MxNxK"});
    check_refused(run_fdkbench({"sweep", "-m", "four"}), 2, {"four"});
}

TEST_CASE("A k that the group size does not divide is refused with choices") {
    check_refused(run_fdkbench({"sweep", "-k", "100", "-b", "4"}), 2, {"100", "64"});
}

TEST_CASE("Three bits are refused with the widths there are") {
    check_refused(run_fdkbench({"sweep", "-b", "3"}), 2, {"3", "16", "8", "4", "2", "1"});
}

TEST_CASE("A device that is not there is refused with those that are") {
    check_refused(run_fdkbench({"sweep", "--device", "cuda:99", "--dry-run"}),
                  3,
                  {"cuda:99", "fdkbench devices"});
}

TEST_CASE("A bad regular expression or time limit is refused") {
    check_refused(
        run_fdkbench({"sweep", "--device", "host", "--include", "(", "--dry-run"}), 2, {"("});
    for (const std::string option : {"--time-limit", "--candidate-timeout", "--compile-timeout"}) {
        check_refused(run_fdkbench({"sweep", option, "soon"}), 2, {option, "soon", "10m"});
    }
}

TEST_CASE("A filter that leaves no family is refused with the families there are") {
    check_refused(run_fdkbench({"sweep",
                                "--device",
                                "host",
                                "--include",
                                "nothing",
                                "--dry-run",
                                "--shape",
                                "1x64x64"}),
                  2,
                  {"nothing"});
}

TEST_CASE("A file that is not a database is refused and left as it was") {
    const TemporaryFolder folder;
    const std::string path = folder.path("notes.db");
    const std::string text(5000, 'x');
    std::ofstream(path) << text;
    check_refused(run_fdkbench({"sweep", "--device", "host", "--shape", "1x64x64", "--db", path}),
                  2,
                  {"notes.db", "--db"});
    check_refused(run_fdkbench({"query", "--db", path}), 2, {"notes.db"});
    CHECK(std::filesystem::file_size(path) == text.size());
}

TEST_CASE("A database of a newer version is refused and left as it was") {
    const TemporaryFolder folder;
    const std::string path = folder.path("a.db");
    const std::vector<std::string> sweep{
        "sweep", "--device", "host", "--shape", "1x64x64", "--time-limit", "1s", "--db", path};
    REQUIRE(run_fdkbench(sweep).exit_code == 0);
    REQUIRE(run_shell("python3 -c \"import sqlite3; d = sqlite3.connect('" + path +
                      "'); d.execute('PRAGMA user_version = 999'); d.close()\"")
                .exit_code == 0);
    check_refused(run_fdkbench(sweep), 2, {"999", "newer fdkbench", "--db"});
    check_refused(run_fdkbench({"query", "--db", path}), 2, {"999"});
}

TEST_CASE("A database that is not there is an error of query and export-table") {
    const TemporaryFolder folder;
    check_refused(run_fdkbench({"query", "--db", folder.path("none.db")}), 2, {"none.db"});
    check_refused(run_fdkbench({"export-table", "--db", folder.path("none.db")}), 2, {"none.db"});
}

TEST_CASE("A database in a folder that is not there is refused with what to do") {
    const TemporaryFolder folder;
    check_refused(run_fdkbench({"sweep",
                                "--device",
                                "host",
                                "--shape",
                                "1x64x64",
                                "--db",
                                folder.path("no/such/folder.db")}),
                  3,
                  {"folder.db", "--db"});
}

TEST_CASE("An unwritable cache is refused with the option to change it") {
    const TemporaryFolder folder;
    std::ofstream(folder.path("file")) << "not a folder";
    check_refused(run_fdkbench({"sweep",
                                "--device",
                                "host",
                                "--shape",
                                "1x64x64",
                                "-b",
                                "4",
                                "--db",
                                folder.path("a.db"),
                                "--cache-dir",
                                folder.path("file/cache")}),
                  3,
                  {"file/cache", "--cache-dir"});
}

TEST_CASE("A machine without a compiler says what to install") {
    const TemporaryFolder folder;
    const ProgramResult result = run_fdkbench(
        {"sweep", "--device", "host", "--shape", "1x64x64", "--db", folder.path("a.db")},
        {{"PATH", folder.path()}, {"CXX", ""}});
    INFO(result.err);
    CHECK(result.exit_code == 3);
    CHECK_THAT(result.err, ContainsSubstring("compiler"));
    CHECK_THAT(result.err, ContainsSubstring("g++"));
}

TEST_CASE("Nothing on the command line shows the help") {
    const ProgramResult result = run_fdkbench({});
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.out, ContainsSubstring("sweep"));
    for (const std::string command : {"devices",
                                      "sweep",
                                      "verify",
                                      "noise",
                                      "export-table",
                                      "explain",
                                      "table-check",
                                      "query"}) {
        const ProgramResult help = run_fdkbench({command, "--help"});
        CHECK(help.exit_code == 0);
        CHECK_THAT(help.out, ContainsSubstring("Examples:"));
    }
}

TEST_CASE("The version names commit, compiler, CUDA and driver") {
    const ProgramResult result = run_fdkbench({"--version"});
    CHECK(result.exit_code == 0);
    for (const std::string word : {"fdkbench ", "commit", "compiler", "CUDA", "driver"}) {
        CHECK_THAT(result.out, ContainsSubstring(word));
    }
}
