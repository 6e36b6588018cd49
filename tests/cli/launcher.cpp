#include "tests/cli/refused.hpp"

#include <fstream>
#include <sstream>

using namespace fdkbench::test;

namespace {

ProgramResult sweep_under(const TemporaryFolder& folder, const std::string& launcher) {
    return run_fdkbench(joined(host_sweep(folder.path("a.db"), folder.path("cache"), {"1x64x128"}),
                               {"--include", "host_lut", "--launcher", launcher}));
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
                  3,
                  {"--launcher 'no-such-launcher -G1'", "No such file"});
    check_refused(sweep_under(folder, "false"), 3, {"--launcher 'false'", "exit code 1"});
    check_refused(sweep_under(folder, "echo"), 3, {"--launcher 'echo'"});
    const std::string noisy = script(folder, "echo Welcome to this machine\nexec \"$@\"");
    check_refused(sweep_under(folder, "'" + noisy + "'"),
                  3,
                  {"wrap per.sh", "'Welcome to this machine'", "print nothing"});
    CHECK_FALSE(std::filesystem::exists(folder.path("a.db")));
}

TEST_CASE("A launcher with a quote left open is a usage error") {
    const TemporaryFolder folder;
    const ProgramResult result = sweep_under(folder, "ssh 'box");
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, ContainsSubstring("ssh 'box"));
}
