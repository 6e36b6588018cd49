#pragma once

#include "src/protocol/messages.hpp"
#include "src/protocol/process_channel.hpp"
#include "tuner/worker.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// A child process that answers requests (messages.hpp), started with the first of them.
class RequestChannel {
  public:
    /// `who` stands in messages: "worker". `stop` may be null.
    RequestChannel(std::string who, std::vector<std::string> argv, const std::atomic<bool>* stop)
        : who_(std::move(who)), argv_(std::move(argv)), stop_(stop) {}

    /// Waits `timeout` for the reply, and again after every event that comes before it. Throws
    /// WorkerLost when the process dies, sends something else or is late, Interrupted when
    /// `stop` rises; either way the process is killed, and the next request starts another. An
    /// error that the process reports is thrown as Error.
    template <typename Reply, typename Request>
    Reply ask(const Request& request, std::chrono::milliseconds timeout) {
        Reply reply;
        exchange(protocol::request_json(request), timeout, [&reply, &request](const Json& json) {
            if (json.at("reply") != request.kName) {
                return false;
            }
            from_json(json, reply);
            return true;
        });
        return reply;
    }

  private:
    using Take = std::function<bool(const Json&)>;
    void exchange(const Json& request, std::chrono::milliseconds timeout, const Take& take);
    bool take_event(const std::string& line);
    std::string wait_for_line(std::chrono::milliseconds timeout);
    [[noreturn]] void lose(CandidateStatus status, const std::string& how);
    [[noreturn]] void lose_dead();

    std::string who_;
    std::vector<std::string> argv_;
    const std::atomic<bool>* stop_;
    std::unique_ptr<protocol::ProcessChannel> process_;
    std::optional<int> timing_slot_;  ///< of the last TimingEvent
    std::string fault_;               ///< of the last FaultEvent
};

}  // namespace fdkbench
