#include "src/protocol/messages.hpp"
#include "src/worker/server.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace fdkbench;
using namespace fdkbench::protocol;

namespace {

/// Answers every request with what it understood of it.
template <typename Request>
void add_echo(Server& server) {
    server.add<Request>([](const Request& request, const Server::Write& write) {
        write(to_line(request_json(request)));
        return Json(request);
    });
}

Server echo_server() {
    Server server;
    add_echo<HelloRequest>(server);
    add_echo<CeilingsRequest>(server);
    add_echo<PrepareRequest>(server);
    add_echo<CheckRequest>(server);
    add_echo<BlockRequest>(server);
    add_echo<EnergyRequest>(server);
    add_echo<CompileRequest>(server);
    return server;
}

/// As the coordinator takes a line.
void take_reply(const Json& json) {
    fuzz::read_as<ErrorReply>(json);
    fuzz::read_as<HelloReply>(json);
    fuzz::read_as<CeilingsReply>(json);
    fuzz::read_as<PrepareReply>(json);
    fuzz::read_as<CheckReply>(json);
    fuzz::read_as<BlockReply>(json);
    fuzz::read_as<TimingEvent>(json);
    fuzz::read_as<EnergyReply>(json);
    fuzz::read_as<CompileReply>(json);
}

}  // namespace

/// Any line as a request to a worker and as a worker's reply.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Server server = echo_server();
    const std::string line(fuzz::text_of(data, size));
    const auto is_line = [](const std::string& text) {
        fuzz::require(text.find('\n') == std::string::npos, "an answer is one line");
        fuzz::require(Json::parse(text).is_object(), "an answer is an object");
    };
    is_line(to_line(server.answer(line, is_line)));

    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_discarded()) {
        take_reply(json);
    }
    return 0;
}
