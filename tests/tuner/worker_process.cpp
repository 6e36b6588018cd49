#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"
#include "tuner/compile_pool.hpp"
#include "tuner/worker.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

using namespace fdkbench;
using Catch::Matchers::ContainsSubstring;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr seconds kPatience{60};

/// A worker program in the language of the shell: `answers` are the branches of a `case` over each
/// request line.
class Script {
  public:
    explicit Script(const std::string& answers)
        : file_("#!/bin/sh\nwhile read -r line; do case \"$line\" in\n" + answers +
                "\nesac; done\n") {
        std::filesystem::permissions(file_.path(), std::filesystem::perms::owner_all);
    }
    [[nodiscard]] std::string path() const { return file_.path().string(); }

  private:
    test::TemporaryFile file_;
};

std::string hello_of_version(int version) {
    return R"(*'"request":"hello"'*) echo '{"reply":"hello","version":)" + std::to_string(version) +
           R"(,"backend":"fake","compiler":"fakec","devices":[],"versions":[]}';;)";
}

const std::string kBlock =
    R"(*'"request":"block"'*) echo '{"reply":"block","baseline_before_us":1,"baseline_after_us":2,)"
    R"("baseline_first_us":3,"times_us":[4.5],"before":{"throttle_reasons":[]},)"
    R"("after":{"throttle_reasons":[]}}';;)";

std::unique_ptr<Worker> worker(const Script& script, const std::atomic<bool>* stop = nullptr) {
    return worker_processes(script.path(), kPatience, stop).worker();
}

CandidateStatus status_of_loss(Worker& worker, const std::string& message) {
    try {
        worker.check({}, seconds{1});
    } catch (const WorkerLost& lost) {
        CHECK_THAT(lost.what(), ContainsSubstring(message));
        return lost.status();
    }
    FAIL("the worker was not lost");
    return CandidateStatus::kCorrect;
}

/// A compile process whose binary hash is the request's compile key, or for key "where" its folder
/// for temporary files.
const std::string kCompile =
    R"(*) key=${line##*compile_key\":\"}; key=${key%%\"*};
    case "$key" in
        die*) touch "$TMPDIR/leftover"; kill -KILL $$;;
        once*) [ -e "$TMPDIR/$key" ] || { touch "$TMPDIR/$key"; kill -KILL $$; };;
        hang*) exec sleep 600;;
        linger*) sleep 600 & echo $! >"$TMPDIR/started"; wait;;
        full*) echo '{"reply":"error","code":3,"message":"the disk is full"}'; continue;;
        where*) key=$TMPDIR;;
    esac
    echo "{\"reply\":\"compile\",\"status\":\"correct\",\"message\":\"\",\"binary_hash\":\"$key\",\"binary\":\"/x\",\"seconds\":0.5}";;)";

/// Whether the process is there and no zombie.
bool runs(const std::string& pid) {
    std::string number;
    std::string name;
    std::string state;
    std::ifstream("/proc/" + pid + "/stat") >> number >> name >> state;
    return !state.empty() && state != "Z";
}

protocol::CompileRequest compile_request(const std::string& key) {
    return {"/cache", "family", {"-DX=1"}, "sm_90a", key};
}

std::map<std::size_t, protocol::CompileReply> collect(CompilePool& pool, std::size_t count) {
    std::map<std::size_t, protocol::CompileReply> replies;
    const auto deadline = Clock::now() + seconds{20};
    while (replies.size() < count && Clock::now() < deadline) {
        if (const auto done = pool.next(milliseconds{100})) {
            replies[done->ticket] = done->reply;
        }
    }
    return replies;
}

}  // namespace

TEST_CASE("Requests are answered by the process, one after another") {
    const Script script(hello_of_version(protocol::kVersion) + kBlock);
    const auto process = worker(script);
    CHECK(process->hello().backend == "fake");
    const auto block = process->block({{0}}, kPatience);
    CHECK(block.baseline_after_us == 2);
    CHECK(block.times_us == std::vector<double>{4.5});
}

TEST_CASE("A worker of another protocol version is to be built again") {
    const Script script(hello_of_version(protocol::kVersion + 1));
    const auto process = worker(script);
    CHECK_THROWS_AS(process->hello(), EnvironmentError);
    CHECK_THROWS_WITH(worker(script)->hello(), ContainsSubstring("build both again"));
}

TEST_CASE("A launcher stands before the worker program") {
    const Script script(hello_of_version(protocol::kVersion) + kBlock);
    WorkerCommand command(script.path());
    command.launcher = {"nice", "-n", "0"};
    CHECK(command.argv() == std::vector<std::string>{"nice", "-n", "0", script.path()});
    const auto process = worker_processes(command).worker();
    CHECK(process->hello().backend == "fake");
    CHECK(process->block({{0}}, kPatience).times_us.size() == 1);
}

TEST_CASE("A launcher that starts no worker is named; where it could not run, it is not there") {
    const Script script(hello_of_version(protocol::kVersion));
    WorkerCommand command(script.path());
    command.launcher = GENERATE(std::vector<std::string>{"no-such-launcher", "x"},
                                std::vector<std::string>{"sh", "-c", "echo Welcome; exec \"$0\""},
                                std::vector<std::string>{"true", "x"});
    const auto process = worker_processes(command).worker();
    if (command.launcher[0] == "no-such-launcher") {
        CHECK_THROWS_AS(process->hello(), EnvironmentError);
    } else {
        CHECK_THROWS_AS(process->hello(), WorkerLost);
    }
    CHECK_THROWS_WITH(process->hello(),
                      ContainsSubstring("--launcher '" + command.launcher[0] + " ") &&
                          ContainsSubstring(script.path()));
}

TEST_CASE("Compile processes run under the launcher only where that is asked for") {
    const Script script(kCompile);
    WorkerCommand command(script.path());
    command.launcher = {"env", "TMPDIR=/launched"};
    command.compiles_under_launcher = GENERATE(false, true);
    const auto pool = compile_processes(command, 1, kPatience);
    pool->submit(0, compile_request("where"));
    const auto replies = collect(*pool, 1);
    REQUIRE(replies.size() == 1);
    CHECK((replies.at(0).binary_hash == "/launched") == command.compiles_under_launcher);
}

TEST_CASE("A program that is not there is an environment error") {
    const auto process = worker_processes(std::string("/nonexistent/worker")).worker();
    CHECK_THROWS_AS(process->hello(), EnvironmentError);
}

TEST_CASE("An error that the worker reports keeps its code, and the worker lives") {
    const Script script(kBlock +
                        R"(*) echo '{"reply":"error","code":3,"message":"out of memory"}';;)");
    const auto process = worker(script);
    try {
        process->prepare({});
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::kEnvironment);
        CHECK(std::string(error.what()) == "out of memory");
    }
    CHECK(process->block({{0}}, kPatience).times_us.size() == 1);
}

TEST_CASE("A worker that dies is lost as a runtime failure that names the signal") {
    const Script script("*) kill -SEGV $$;;");
    const auto process = worker(script);
    CHECK(status_of_loss(*process, "worker died: signal 11") == CandidateStatus::kRuntime);
}

TEST_CASE("A worker that does not answer in time is killed and lost as a timeout") {
    const Script script("*) exec sleep 600;;");
    const auto process = worker(script);
    const auto start = Clock::now();
    CHECK(status_of_loss(*process, "no answer within 1 s") == CandidateStatus::kTimeout);
    CHECK(Clock::now() - start < seconds{20});
}

TEST_CASE("A worker that answers anything else is lost") {
    SECTION("no JSON") {
        const Script script("*) echo 'hello from a kernel';;");
        const auto process = worker(script);
        CHECK(status_of_loss(*process, "'hello from a kernel' to the request 'check'") ==
              CandidateStatus::kRuntime);
    }
    SECTION("the reply to another request") {
        const Script script(R"(*) echo '{"reply":"block","times_us":[]}';;)");
        const auto process = worker(script);
        CHECK(status_of_loss(*process, "to the request 'check'") == CandidateStatus::kRuntime);
    }
    SECTION("a reply without its members") {
        const Script script(R"(*) echo '{"reply":"check"}';;)");
        const auto process = worker(script);
        CHECK(status_of_loss(*process, "to the request 'check'") == CandidateStatus::kRuntime);
    }
}

TEST_CASE("The stop flag is seen while a worker is busy") {
    const Script script("*) exec sleep 600;;");
    std::atomic<bool> stop = false;
    const auto process = worker_processes(script.path(), kPatience, &stop).worker();
    std::thread later([&stop] {
        std::this_thread::sleep_for(milliseconds{200});
        stop = true;
    });
    const auto start = Clock::now();
    CHECK_THROWS_AS(process->check({}, kPatience), Interrupted);
    CHECK(Clock::now() - start < seconds{20});
    later.join();
}

TEST_CASE("Every compilation comes back under its ticket") {
    const Script script(kCompile);
    const auto pool = compile_processes(script.path(), 2, kPatience);
    for (std::size_t ticket = 0; ticket < 20; ++ticket) {
        pool->submit(ticket, compile_request("key" + std::to_string(ticket)));
    }
    const auto replies = collect(*pool, 20);
    REQUIRE(replies.size() == 20);
    CHECK(replies.at(7).binary_hash == "key7");
    CHECK(replies.at(7).seconds == 0.5);
    CHECK_FALSE(pool->next(milliseconds{0}).has_value());
}

TEST_CASE("A compile program that is not there is an environment error") {
    CHECK_THROWS_AS(compile_processes(std::string("/nonexistent/worker"), 1, kPatience),
                    EnvironmentError);
}

TEST_CASE("What dies once while it compiles is tried again") {
    const Script script(kCompile);
    const auto pool = compile_processes(script.path(), 1, kPatience);
    pool->submit(0, compile_request("once"));
    const auto replies = collect(*pool, 1);
    REQUIRE(replies.size() == 1);
    CHECK(replies.at(0).status == CandidateStatus::kCorrect);
    CHECK(replies.at(0).binary_hash == "once");
}

TEST_CASE("What killed compile processes leave among temporary files goes with the pool") {
    const Script script(kCompile);
    auto pool = compile_processes(script.path(), 1, kPatience);
    pool->submit(0, compile_request("die"));
    pool->submit(1, compile_request("where"));
    const auto replies = collect(*pool, 2);
    REQUIRE(replies.size() == 2);
    const std::filesystem::path folder = replies.at(1).binary_hash;
    CHECK(folder.parent_path() == std::filesystem::temp_directory_path());
    CHECK(std::filesystem::exists(folder / "leftover"));
    pool.reset();
    CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("A compile process that dies twice costs its request only") {
    const Script script(kCompile);
    const auto pool = compile_processes(script.path(), 1, kPatience);
    pool->submit(0, compile_request("first"));
    pool->submit(1, compile_request("die"));
    pool->submit(2, compile_request("last"));
    const auto replies = collect(*pool, 3);
    REQUIRE(replies.size() == 3);
    CHECK(replies.at(1).status == CandidateStatus::kCompile);
    CHECK_THAT(replies.at(1).message,
               ContainsSubstring("compiler process died twice") && ContainsSubstring("signal 9"));
    CHECK(replies.at(2).binary_hash == "last");
}

TEST_CASE("A compilation that takes longer than its limit is killed with all that it started") {
    const Script script(kCompile);
    const auto pool = compile_processes(script.path(), 1, seconds{1});
    pool->submit(0, compile_request("linger"));
    pool->submit(1, compile_request("where"));
    const auto replies = collect(*pool, 2);
    REQUIRE(replies.size() == 2);
    CHECK(replies.at(0).status == CandidateStatus::kCompile);
    CHECK_THAT(replies.at(0).message,
               ContainsSubstring("no answer within 1 s") && ContainsSubstring("--compile-timeout"));
    CHECK(replies.at(1).status == CandidateStatus::kCorrect);
    std::string started;
    REQUIRE(std::ifstream(replies.at(1).binary_hash + "/started") >> started);
    const auto deadline = Clock::now() + seconds{20};
    while (runs(started) && Clock::now() < deadline) {
        std::this_thread::sleep_for(milliseconds{10});
    }
    CHECK_FALSE(runs(started));
}

TEST_CASE("An error that a compile process reports ends the waiting") {
    const Script script(kCompile);
    const auto pool = compile_processes(script.path(), 2, kPatience);
    pool->submit(0, compile_request("full"));
    CHECK_THROWS_WITH(collect(*pool, 1), ContainsSubstring("the disk is full"));
}

TEST_CASE("A pool with busy processes ends quickly") {
    const Script script(kCompile);
    auto pool = compile_processes(script.path(), 2, kPatience);
    for (std::size_t ticket = 0; ticket < 5; ++ticket) {
        pool->submit(ticket, compile_request("hang"));
    }
    CHECK_FALSE(pool->next(milliseconds{300}).has_value());
    const auto start = Clock::now();
    pool.reset();
    CHECK(Clock::now() - start < seconds{20});
}
