#include "src/worker/server.hpp"

#include "kernels/registry.hpp"
#include "src/core/artifact_cache.hpp"
#include "src/core/error.hpp"
#include "src/worker/compile.hpp"
#include "src/worker/device_lost.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"
#include "tests/worker/fake_backend.hpp"

#include <algorithm>
#include <fstream>
#include <new>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace fdkbench;

namespace {

const RegisterFamily registered_here([] {
    Family family;
    family.name = "test_family";
    family.source = "kernels/common/types.cuh";
    return family;
}());

std::vector<Json> serve(const Server& server, const std::string& input) {
    std::istringstream in(input);
    std::vector<Json> replies;
    server.serve(in, [&](const std::string& line) { replies.push_back(Json::parse(line)); });
    return replies;
}

template <typename Request>
std::string line(const Request& request) {
    return protocol::request_json(request).dump() + "\n";
}

std::string prepare_line() {
    return line(protocol::PrepareRequest{.device = 0, .problem = small_problem(), .policy = {}});
}

std::string check_line(const std::string& binary) {
    return line(protocol::CheckRequest{.slot = 0, .binary = binary, .plan = {}});
}

protocol::CompileRequest compile_request(const std::string& cache_dir,
                                         const std::vector<std::string>& options) {
    protocol::CompileRequest request{.cache_dir = cache_dir,
                                     .family = "test_family",
                                     .options = options,
                                     .arch = "fake_1",
                                     .compile_key = {}};
    request.compile_key = compile_key(
        kernel_source(family_named("test_family")).digest, options, "fake_1", "fakecc 1");
    return request;
}

}  // namespace

TEST_CASE("Host memory that runs out is the machine's fault and says what to change") {
    Server server;
    server.add<protocol::HelloRequest>(
        [](const protocol::HelloRequest&) -> protocol::HelloReply { throw std::bad_alloc(); });
    const Json reply = server.answer(line(protocol::HelloRequest{}), {});
    CHECK(reply.at("reply") == "error");
    CHECK(reply.at("code") == static_cast<int>(ExitCode::kEnvironment));
    CHECK_THAT(reply.at("message").get<std::string>(), ContainsSubstring("smaller -n or -k"));
}

TEST_CASE("A device worker answers the whole conversation of a cell") {
    auto state = std::make_shared<FakeState>();
    const auto replies =
        serve(device_server(fake_parts(state)),
              line(protocol::HelloRequest{}) + line(protocol::CeilingsRequest{}) + prepare_line() +
                  check_line("correct") + line(protocol::BlockRequest{{0}}));
    REQUIRE(replies.size() == 7);
    const auto hello = replies[0].get<protocol::HelloReply>();
    CHECK(replies[0].at("reply") == "hello");
    CHECK(hello.backend == "fake");
    CHECK(hello.compiler == "fakecc 1");
    CHECK(hello.devices.size() == 2);
    CHECK(hello.versions.at(0).second == "7");
    CHECK(replies[1].get<protocol::CeilingsReply>().ceilings.at(0).what == "launch");
    CHECK(replies[2].get<protocol::PrepareReply>().baseline == "algorithm 2");
    CHECK(replies[3].get<protocol::CheckReply>().status == CandidateStatus::kCorrect);
    CHECK(replies[4].get<protocol::TimingEvent>().slot == 0);
    CHECK(replies[5].get<protocol::TimingEvent>().slot == -1);
    CHECK(replies[6].at("reply") == "block");
    CHECK(replies[6].get<protocol::BlockReply>().times_us.size() == 1);
}

TEST_CASE("Bad requests are answered with errors and the worker goes on") {
    const auto replies =
        serve(device_server(fake_parts(std::make_shared<FakeState>())),
              "not json\n\n[1]\n{\"request\": 7}\n{\"request\": \"dance\"}\n"
              "{\"request\": \"check\"}\n" +
                  check_line("correct") + line(protocol::CeilingsRequest{.device = 9}) +
                  line(protocol::HelloRequest{}));
    REQUIRE(replies.size() == 9);
    for (std::size_t i = 0; i < 8; ++i) {
        INFO(replies[i].dump());
        CHECK(replies[i].at("reply") == "error");
        CHECK(replies[i].at("code") ==
              static_cast<int>(i == 7 ? ExitCode::kEnvironment : ExitCode::kInternal));
        CHECK_FALSE(replies[i].at("message").get<std::string>().empty());
    }
    CHECK_THAT(replies[0].at("message").get<std::string>(), ContainsSubstring("malformed"));
    CHECK_THAT(replies[4].at("message").get<std::string>(),
               ContainsSubstring("'dance'") && ContainsSubstring("hello, prepare"));
    CHECK_THAT(replies[6].at("message").get<std::string>(), ContainsSubstring("prepare"));
    CHECK(replies[8].at("reply") == "hello");
}

TEST_CASE("A worker whose device is lost answers and stops") {
    const auto replies = serve(device_server(fake_parts(std::make_shared<FakeState>())),
                               prepare_line() + check_line("faults") + check_line("correct"));
    REQUIRE(replies.size() == 2);
    CHECK(replies[1].get<protocol::CheckReply>().worker_ends);
}

TEST_CASE("A fault in a block is not answered: the worker is gone") {
    const Server server = device_server(fake_parts(std::make_shared<FakeState>()));
    CHECK_THROWS_AS(
        serve(server,
              prepare_line() + check_line("faults_later") + line(protocol::BlockRequest{{0}})),
        DeviceLost);
}

TEST_CASE("A compile worker makes no backend and answers hello and compile only") {
    auto state = std::make_shared<FakeState>();
    const auto replies =
        serve(compile_server(fake_parts(state)), line(protocol::HelloRequest{}) + prepare_line());
    CHECK(state->backends == 0);
    CHECK(replies.at(0).get<protocol::HelloReply>().compiler == "fakecc 1");
    CHECK(replies.at(0).get<protocol::HelloReply>().devices.empty());
    CHECK_THAT(replies.at(1).at("message").get<std::string>(), ContainsSubstring("compile, hello"));
}

TEST_CASE("A compilation is published and found again") {
    const test::TemporaryFolder cache;
    const auto request = compile_request(cache.path(), {"-DFDK_WARPS=4"});
    const auto replies = serve(compile_server(fake_parts(std::make_shared<FakeState>())),
                               line(request) + line(request));
    const auto first = replies.at(0).get<protocol::CompileReply>();
    const auto second = replies.at(1).get<protocol::CompileReply>();
    REQUIRE(first.status == CandidateStatus::kCorrect);
    CHECK(first.seconds > 0);
    std::ifstream file(first.binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    CHECK(text == "kernels/common/types.cuh fake_1 -DFDK_WARPS=4");
    CHECK(second.binary_hash == first.binary_hash);
    CHECK(second.binary == first.binary);
    CHECK(second.seconds == 0);
}

TEST_CASE("A source that does not compile is an outcome with the log") {
    const test::TemporaryFolder cache;
    const auto replies = serve(compile_server(fake_parts(std::make_shared<FakeState>())),
                               line(compile_request(cache.path(), {"-DBAD"})));
    const auto reply = replies.at(0).get<protocol::CompileReply>();
    CHECK(reply.status == CandidateStatus::kCompile);
    CHECK_THAT(reply.message, ContainsSubstring("kernel.cu(1): error: BAD"));
    CHECK(reply.binary.empty());
}

TEST_CASE("A compile key of another build and an unknown family are errors") {
    const test::TemporaryFolder cache;
    auto foreign = compile_request(cache.path(), {});
    foreign.compile_key = "0123";
    auto unknown = compile_request(cache.path(), {});
    unknown.family = "no_such_family";
    unknown.compile_key = "4567";
    const auto replies = serve(compile_server(fake_parts(std::make_shared<FakeState>())),
                               line(foreign) + line(unknown));
    CHECK_THAT(replies.at(0).at("message").get<std::string>(), ContainsSubstring("one build"));
    CHECK_THAT(replies.at(1).at("message").get<std::string>(), ContainsSubstring("no_such_family"));
}

TEST_CASE("A long log keeps its first error") {
    std::string log(10'000, 'w');
    log += "\nk.cu(3): error: first\n" + std::string(3000, 'a') + "\n" + std::string(3000, 'b');
    const std::string trimmed = trimmed_log(log);
    CHECK(trimmed.starts_with("k.cu(3): error: first\n"));
    CHECK_THAT(trimmed, ContainsSubstring(std::string(3000, 'a')));
    CHECK(trimmed.size() < 5000);
    CHECK_THAT(trimmed, ContainsSubstring("bytes of the log"));
    CHECK(trimmed_log("short") == "short");
    CHECK(trimmed_log(std::string(9000, 'x')).size() < 5000);
}

namespace {

/// Runs worker_main in a child process on `input`; returns its exit code and its standard output.
std::pair<int, std::string> run_worker(std::vector<std::string> arguments,
                                       const std::string& input,
                                       const WorkerParts& parts) {
    int in[2];
    int out[2];
    REQUIRE(pipe(in) == 0);
    REQUIRE(pipe(out) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        for (const int fd : {in[0], in[1], out[0], out[1]}) {
            close(fd);
        }
        arguments.insert(arguments.begin(), "worker");
        std::vector<char*> argv;
        for (std::string& argument : arguments) {
            argv.push_back(argument.data());
        }
        _exit(worker_main(static_cast<int>(argv.size()), argv.data(), parts));
    }
    close(in[0]);
    close(out[1]);
    CHECK(write(in[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()));
    close(in[1]);
    std::string output;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(out[0], buffer, sizeof buffer)) > 0;) {
        output.append(buffer, static_cast<std::size_t>(got));
    }
    close(out[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

}  // namespace

TEST_CASE("The worker program ends with its input, and its output is the protocol's alone") {
    auto state = std::make_shared<FakeState>();
    state->noisy = true;
    const auto [code, output] = run_worker({}, line(protocol::HelloRequest{}), fake_parts(state));
    CHECK(code == 0);
    REQUIRE(output.find('\n') == output.size() - 1);
    CHECK(Json::parse(output).at("reply") == "hello");
}

TEST_CASE("The worker program exits 0 after a lost device and refuses unknown arguments") {
    const WorkerParts parts = fake_parts(std::make_shared<FakeState>());
    CHECK(run_worker({}, prepare_line() + check_line("faults") + prepare_line(), parts).first == 0);
    CHECK(run_worker({"--compile"}, "", parts).first == 0);
    CHECK(run_worker({"--dance"}, "", parts).first == 2);
    const auto [code, output] = run_worker(
        {}, prepare_line() + check_line("faults_later") + line(protocol::BlockRequest{{0}}), parts);
    CHECK(code == 4);
    CHECK(std::count(output.begin(), output.end(), '\n') == 4);
}
