#include "src/protocol/process_channel.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <thread>

using namespace fdkbench;
using fdkbench::protocol::ProcessChannel;
using namespace std::chrono_literals;

namespace {

constexpr auto kLong = 20s;  // only a failure waits as long

std::vector<std::string> shell(const std::string& script) {
    return {"/bin/sh", "-c", script};
}

/// Neither running nor a zombie that we left.
bool is_gone(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number;
    std::string name;
    std::string state;
    return !(stat >> number >> name >> state) || state == "Z" || state == "X";
}

bool becomes_gone(pid_t pid) {
    for (int i = 0; i < 1000 && !is_gone(pid); ++i) {
        std::this_thread::sleep_for(10ms);
    }
    return is_gone(pid);
}

bool has_children() {
    return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("Lines go to a child and come back, in order") {
    ProcessChannel channel({"/bin/cat"});
    CHECK(channel.send("one"));
    CHECK(channel.send(""));
    CHECK(channel.send("three"));
    CHECK(channel.receive(kLong) == "one");
    CHECK(channel.receive(kLong) == "");
    CHECK(channel.receive(kLong) == "three");
    CHECK_FALSE(channel.closed());
}

TEST_CASE("A line of many megabytes goes both ways at once") {
    ProcessChannel channel({"/bin/cat"});
    std::string line(8U << 20U, 'x');
    line.front() = '<';
    line.back() = '>';
    REQUIRE(channel.send(line));
    REQUIRE(channel.send("next"));
    CHECK(channel.receive(kLong).value_or("") == line);
    CHECK(channel.receive(kLong) == "next");
}

TEST_CASE("A silent child is waited for no longer than asked, and is not called gone") {
    ProcessChannel channel(shell("read line; echo $line; sleep 1000"));
    CHECK_FALSE(channel.receive(0ms));
    CHECK_FALSE(channel.receive(30ms));
    CHECK_FALSE(channel.closed());
    CHECK(channel.send("hello"));
    CHECK(channel.receive(kLong) == "hello");
}

TEST_CASE("An incomplete line is no line") {
    ProcessChannel channel(shell("printf half; read line; echo way; exit 0"));
    CHECK_FALSE(channel.receive(50ms));
    channel.send("go");
    CHECK(channel.receive(kLong) == "halfway");
}

TEST_CASE("How a child ended is told after its last line") {
    SECTION("by itself") {
        ProcessChannel channel(shell("echo first; echo last; exit 3"));
        CHECK(channel.receive(kLong) == "first");
        CHECK(channel.receive(kLong) == "last");
        CHECK_FALSE(channel.receive(kLong));
        REQUIRE(channel.closed());
        CHECK(channel.closed()->how == "exit code 3");
    }
    SECTION("by a crash") {
        ProcessChannel channel(shell("echo last; kill -SEGV $$"));
        CHECK(channel.receive(kLong) == "last");
        CHECK_FALSE(channel.receive(kLong));
        REQUIRE(channel.closed());
        CHECK(channel.closed()->how == "signal 11 (Segmentation fault)");
    }
    SECTION("by us") {
        ProcessChannel channel({"/bin/cat"});
        channel.kill();
        REQUIRE(channel.closed());
        CHECK(channel.closed()->how == "signal 9 (Killed)");
        CHECK_FALSE(channel.receive(kLong));
        CHECK_FALSE(channel.send("hello"));
    }
}

TEST_CASE("Sending to a child that has died is false, not our death") {
    ProcessChannel channel(shell("exit 4"));
    const std::string line(1U << 20U, 'x');  // more than a pipe holds
    CHECK_FALSE(channel.send(line));
    CHECK_FALSE(channel.send("again"));
    REQUIRE(channel.closed());
    CHECK(channel.closed()->how == "exit code 4");
}

TEST_CASE("A child's death is seen though a process it left behind holds its output open") {
    ProcessChannel channel(shell("sleep 1000 & echo $!; exit 5"));
    const pid_t left_behind = std::stoi(channel.receive(kLong).value_or("0"));
    REQUIRE(left_behind > 0);
    CHECK_FALSE(channel.receive(kLong));
    REQUIRE(channel.closed());
    CHECK(channel.closed()->how == "exit code 5");
    CHECK(becomes_gone(left_behind));
}

TEST_CASE("A channel's end is its child's, and leaves no zombie") {
    pid_t child = 0;
    {
        ProcessChannel channel(shell("trap '' TERM HUP INT; echo $$; while :; do sleep 1; done"));
        child = std::stoi(channel.receive(kLong).value_or("0"));
        REQUIRE(child > 0);
        CHECK_FALSE(is_gone(child));
    }
    CHECK(::kill(child, 0) != 0);
    CHECK_FALSE(has_children());
}

TEST_CASE("A child inherits no other child's pipes") {
    const std::string count = "ls /proc/self/fd | wc -l";
    const auto descriptors = [&] { return ProcessChannel(shell(count)).receive(kLong); };
    const auto alone = descriptors();
    REQUIRE(alone);
    const ProcessChannel other({"/bin/cat"});
    const ProcessChannel another({"/bin/cat"});
    CHECK(descriptors() == alone);
}

TEST_CASE("A child leads its own process group, and takes SIGPIPE as programs expect") {
    ProcessChannel channel(
        shell("read pid name state parent group rest < /proc/$$/stat; echo $pid; echo $group; "
              "grep SigIgn /proc/self/status"));
    const auto pid = channel.receive(kLong);
    REQUIRE(pid);
    CHECK(channel.receive(kLong) == pid);
    const std::string ignored = channel.receive(kLong).value_or("");
    REQUIRE(ignored.rfind("SigIgn:\t", 0) == 0);
    const auto mask = std::stoull(ignored.substr(8), nullptr, 16);
    CHECK((mask >> (SIGPIPE - 1) & 1U) == 0);
}

TEST_CASE("A program that cannot be started is named") {
    CHECK_THROWS_AS(ProcessChannel({"/nonexistent/worker"}), EnvironmentError);
    CHECK_THROWS_WITH(
        ProcessChannel({"/nonexistent/worker"}),
        ContainsSubstring("/nonexistent/worker") && ContainsSubstring("No such file"));
    CHECK_THROWS_AS(ProcessChannel({"/etc/passwd"}), EnvironmentError);
    CHECK_FALSE(has_children());
}
