#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace fdkbench::test;

namespace {

ProgramResult sweep_under(const TemporaryFolder& folder, const std::string& launcher) {
    return run_fdkbench({"sweep",
                         "--device",
                         "host",
                         "--quick",
                         "--race-time",
                         "1s",
                         "--shape",
                         "1x64x128",
                         "-b",
                         "4",
                         "--include",
                         "host_lut",
                         "--db",
                         folder.path("a.db"),
                         "--cache-dir",
                         folder.path("cache"),
                         "--launcher",
                         launcher});
}

/// A script that may be run.
std::string script(const TemporaryFolder& folder, const std::string& text) {
    const std::string path = folder.path("wrap per.sh");
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
}

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

void check_refused(const ProgramResult& result, const std::vector<std::string>& words) {
    INFO("stderr: " << result.err);
    CHECK(result.exit_code == 3);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    for (const std::string& word : words) {
        CHECK_THAT(result.err, ContainsSubstring(word));
    }
}

}  // namespace

TEST_CASE("A sweep works under launchers that change how a process runs") {
    const TemporaryFolder folder;
    for (const std::string launcher : {"env OMP_NUM_THREADS=1", "nice -n 0", " "}) {
        std::filesystem::remove(folder.path("a.db"));
        const ProgramResult result = sweep_under(folder, launcher);
        INFO(launcher << ": " << result.err);
        CHECK(result.exit_code == 0);
        CHECK_THAT(result.out, ContainsSubstring("host_lut"));
    }
}

TEST_CASE("Device workers and the compile processes of the CPU are started by the launcher") {
    const TemporaryFolder folder;
    const std::string log = folder.path("log");
    const std::string wrapper = script(folder, "echo \"$@\" >>'" + log + "'\nshift\nexec \"$@\"");
    const ProgramResult result = sweep_under(folder, "'" + wrapper + "' word\\ one");
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK_THAT(text_of(log), ContainsSubstring("word one /"));
    CHECK_THAT(text_of(log), ContainsSubstring("/fdkbench-worker-host\n"));
    CHECK_THAT(text_of(log), ContainsSubstring("/fdkbench-worker-host --compile\n"));

    std::filesystem::remove(log);
    const ProgramResult devices =
        run_fdkbench({"devices", "--launcher", "'" + wrapper + "' first"});
    CHECK(devices.exit_code == 0);
    CHECK_THAT(text_of(log), ContainsSubstring("/fdkbench-worker-host\n"));
}

TEST_CASE("A launcher that does not work is named") {
    const TemporaryFolder folder;
    check_refused(sweep_under(folder, "no-such-launcher -G1"),
                  {"--launcher 'no-such-launcher -G1'", "No such file"});
    check_refused(sweep_under(folder, "false"), {"--launcher 'false'", "exit code 1"});
    check_refused(sweep_under(folder, "echo"), {"--launcher 'echo'"});
    const std::string noisy = script(folder, "echo Welcome to this machine\nexec \"$@\"");
    check_refused(sweep_under(folder, "'" + noisy + "'"),
                  {"wrap per.sh", "'Welcome to this machine'", "print nothing"});
    CHECK_FALSE(std::filesystem::exists(folder.path("a.db")));
}

TEST_CASE("A launcher with a quote left open is a usage error") {
    const TemporaryFolder folder;
    const ProgramResult result = sweep_under(folder, "ssh 'box");
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, ContainsSubstring("ssh 'box"));
}
