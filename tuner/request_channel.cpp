#include "tuner/request_channel.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {

namespace {

/// How soon a raised stop flag is seen.
constexpr std::chrono::milliseconds kSlice{100};
/// Of a line that is no reply, for the message.
constexpr std::size_t kMostShown = 120;

void throw_reported_error(const Json& json) {
    if (json.at("reply") == protocol::ErrorReply::kName) {
        const auto error = json.get<protocol::ErrorReply>();
        throw Error(static_cast<ExitCode>(error.code), error.message);
    }
}

}  // namespace

void RequestChannel::exchange(const Json& request,
                              std::chrono::milliseconds timeout,
                              const Take& take) {
    if (!process_) {
        process_ = std::make_unique<protocol::ProcessChannel>(argv_);
    }
    timing_slot_.reset();
    fault_.clear();
    if (!process_->send(to_line(request))) {
        lose_dead();
    }
    std::string line = wait_for_line(timeout);
    while (take_event(line)) {
        line = wait_for_line(timeout);
    }
    bool taken = false;
    try {
        const Json json = Json::parse(line);
        throw_reported_error(json);
        taken = take(json);
    } catch (const Json::exception&) {
        taken = false;
    } catch (const std::invalid_argument&) {
        taken = false;
    }
    if (!taken) {
        lose(CandidateStatus::kRuntime,
             fmt::format("answered '{}' to the request '{}'",
                         line.substr(0, kMostShown),
                         request.at("request").get<std::string>()));
    }
}

/// False for a line that is no event.
bool RequestChannel::take_event(const std::string& line) {
    try {
        const Json json = Json::parse(line);
        const Json& name = json.at("event");
        if (name == protocol::TimingEvent::kName) {
            const int slot = json.get<protocol::TimingEvent>().slot;
            timing_slot_ = slot < 0 ? std::nullopt : std::optional(slot);
            return true;
        }
        if (name == protocol::FaultEvent::kName) {
            fault_ = json.get<protocol::FaultEvent>().message;
            return true;
        }
    } catch (const Json::exception&) {
        return false;
    } catch (const std::invalid_argument&) {
        return false;
    }
    return false;
}

std::string RequestChannel::wait_for_line(std::chrono::milliseconds timeout) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + timeout;
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (auto line = process_->receive(std::clamp(left, std::chrono::milliseconds{0}, kSlice))) {
            return *line;
        }
        if (process_->closed()) {
            lose_dead();
        }
        if (stop_ != nullptr && *stop_) {
            process_.reset();
            throw Interrupted();
        }
        if (left.count() <= 0) {
            lose(CandidateStatus::kTimeout,
                 fmt::format("gave no answer within {} s",
                             std::chrono::duration<double>(timeout).count()));
        }
    }
}

void RequestChannel::lose(CandidateStatus status, const std::string& how) {
    process_.reset();
    throw WorkerLost(status, fmt::format("{} {}", who_, how), timing_slot_);
}

void RequestChannel::lose_dead() {
    if (!fault_.empty()) {
        lose(CandidateStatus::kRuntime, "lost its device: " + fault_);
    }
    const auto& closed = process_->closed();
    lose(CandidateStatus::kRuntime,
         fmt::format("died: {}", closed ? closed->how : "it closed its output"));
}

}  // namespace fdkbench
