#pragma once

#include "src/core/json.hpp"

#include <concepts>
#include <functional>
#include <istream>
#include <map>
#include <string>

namespace fdkbench {

/// Answers requests, one JSON line each, from a table of handlers (src/protocol/messages.hpp).
class Server {
  public:
    /// Sends one line.
    using Write = std::function<void(const std::string& line)>;

    /// Handles requests of type Request with `handler`: (const Request&) or (const Request&, const
    /// Write&) → its reply. What it writes goes out before the reply.
    template <typename Request, typename Handler>
    void add(Handler handler) {
        handlers_[Request::kName] = [handler](const Json& request, const Write& write) -> Json {
            if constexpr (std::invocable<Handler, const Request&, const Write&>) {
                return handler(request.get<Request>(), write);
            } else {
                return handler(request.get<Request>());
            }
        };
    }

    /// The answer to one line: the reply, or an error that says what was wrong. Only DeviceLost
    /// escapes, announced by a FaultEvent.
    [[nodiscard]] Json answer(const std::string& line, const Write& write) const;

    /// Answers line after line until the input ends or a reply's `worker_ends` is true.
    void serve(std::istream& in, const Write& write) const;

  private:
    [[nodiscard]] Json reply_to(const std::string& line, const Write& write) const;

    std::map<std::string, std::function<Json(const Json&, const Write&)>> handlers_;
};

}  // namespace fdkbench
