#pragma once

#include "src/core/json.hpp"

#include <functional>
#include <istream>
#include <map>
#include <string>

namespace fdkbench {

/// Answers requests, one JSON line each, from a table of handlers (src/protocol/messages.hpp).
class Server {
  public:
    /// Handles requests of type Request with `handler`: const Request& → its reply.
    template <typename Request, typename Handler>
    void add(Handler handler) {
        handlers_[Request::kName] = [handler](const Json& request) -> Json {
            return handler(request.get<Request>());
        };
    }

    /// The answer to one line: the reply, or an error that says what was wrong. Only DeviceLost
    /// escapes.
    [[nodiscard]] Json answer(const std::string& line) const;

    /// Answers line after line until the input ends or a reply's `worker_ends` is true.
    void serve(std::istream& in, const std::function<void(const std::string& line)>& write) const;

  private:
    [[nodiscard]] Json reply_to(const std::string& line) const;

    std::map<std::string, std::function<Json(const Json&)>> handlers_;
};

}  // namespace fdkbench
