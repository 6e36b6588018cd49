#include "src/worker/server.hpp"

#include "src/core/error.hpp"
#include "src/protocol/messages.hpp"
#include "src/worker/device_lost.hpp"

#include <fmt/format.h>

#include <exception>
#include <new>

namespace fdkbench {
namespace {

Json error_reply(ExitCode code, const std::string& message) {
    Json json = protocol::ErrorReply{static_cast<int>(code), message};
    json["reply"] = protocol::ErrorReply::kName;
    return json;
}

}  // namespace

Json Server::reply_to(const std::string& line, const Write& write) const {
    const Json request = Json::parse(line);
    const std::string name = request.at("request");
    const auto handler = handlers_.find(name);
    if (handler == handlers_.end()) {
        std::string known;
        for (const auto& [known_name, unused] : handlers_) {
            known += known.empty() ? known_name : ", " + known_name;
        }
        throw Error(ExitCode::kInternal,
                    fmt::format("unknown request '{}': this worker answers {}", name, known));
    }
    Json reply{{"reply", name}};
    reply.update(handler->second(request, write));
    return reply;
}

Json Server::answer(const std::string& line, const Write& write) const {
    try {
        return reply_to(line, write);
    } catch (const DeviceLost& lost) {
        write(to_line(protocol::event_json(protocol::FaultEvent{lost.what()})));
        throw;
    } catch (const Error& error) {
        return error_reply(error.code(), error.what());
    } catch (const Json::exception& error) {
        return error_reply(ExitCode::kInternal,
                           fmt::format("malformed request: {}: {}", error.what(), line));
    } catch (const std::bad_alloc&) {
        return error_reply(ExitCode::kEnvironment,
                           "host memory ran out: use smaller -n or -k, or end other programs");
    } catch (const std::exception& error) {
        return error_reply(ExitCode::kInternal, error.what());
    }
}

void Server::serve(std::istream& in, const Write& write) const {
    std::string line;
    while (std::getline(in, line)) {
        const Json reply = answer(line, write);
        write(to_line(reply));
        if (reply.value("worker_ends", false)) {
            return;
        }
    }
}

}  // namespace fdkbench
