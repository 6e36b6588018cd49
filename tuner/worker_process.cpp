#include "src/core/error.hpp"
#include "tuner/compile_pool.hpp"
#include "tuner/request_channel.hpp"
#include "tuner/worker.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fdkbench {

namespace {

/// Opening a device is slow where the driver has to be woken up.
constexpr std::chrono::seconds kHelloTimeout{60};
/// A launcher may have to wait for a machine.
constexpr std::chrono::minutes kLaunchTimeout{10};
/// Preparing computes a reference, on a CPU in the worst case; ceilings time large copies.
constexpr std::chrono::minutes kPrepareTimeout{10};
constexpr std::chrono::seconds kEnergyTimeout{30};

class WorkerProcess final : public Worker {
  public:
    WorkerProcess(const WorkerCommand& command, const std::atomic<bool>* stop)
        : command_(command), channel_("worker", command.argv(), stop) {}

    protocol::HelloReply hello() override {
        auto reply = command_.launcher.empty() ? ask_hello(kHelloTimeout) : launch();
        if (reply.version != protocol::kVersion) {
            throw EnvironmentError(
                fmt::format("{} speaks version {} of the protocol, this program version {}: "
                            "build both again",
                            command_.path,
                            reply.version,
                            protocol::kVersion));
        }
        return reply;
    }
    protocol::CeilingsReply ceilings(const protocol::CeilingsRequest& request) override {
        return channel_.ask<protocol::CeilingsReply>(request, kPrepareTimeout);
    }
    protocol::PrepareReply prepare(const protocol::PrepareRequest& request) override {
        return channel_.ask<protocol::PrepareReply>(request, kPrepareTimeout);
    }
    protocol::CheckReply check(const protocol::CheckRequest& request,
                               std::chrono::milliseconds limit) override {
        return channel_.ask<protocol::CheckReply>(request, limit);
    }
    protocol::BlockReply block(const protocol::BlockRequest& request,
                               std::chrono::milliseconds limit) override {
        return channel_.ask<protocol::BlockReply>(request, limit);
    }
    protocol::EnergyReply energy(const protocol::EnergyRequest& request) override {
        return channel_.ask<protocol::EnergyReply>(request, kEnergyTimeout);
    }

  private:
    protocol::HelloReply ask_hello(std::chrono::seconds timeout) {
        return channel_.ask<protocol::HelloReply>(protocol::HelloRequest{}, timeout);
    }
    protocol::HelloReply launch() {
        try {
            return ask_hello(kLaunchTimeout);
        } catch (const WorkerLost& lost) {
            throw WorkerLost(lost.status(), not_launched(lost.what()));
        } catch (const EnvironmentError& no_launcher) {
            throw EnvironmentError(not_launched(no_launcher.what()));
        }
    }
    [[nodiscard]] std::string not_launched(const std::string& how) const {
        return fmt::format(
            "--launcher '{}' did not start {}: {}; a launcher must run the words after "
            "it, pass standard input and output through and print nothing of its own",
            fmt::join(command_.launcher, " "),
            command_.path,
            how);
    }

    WorkerCommand command_;
    RequestChannel channel_;
};

}  // namespace

std::vector<std::string> WorkerCommand::argv() const {
    std::vector<std::string> words = launcher;
    words.push_back(path);
    return words;
}

WorkerFactory worker_processes(const WorkerCommand& command,
                               std::chrono::seconds compile_timeout,
                               const std::atomic<bool>* stop) {
    return {[=] { return std::make_unique<WorkerProcess>(command, stop); },
            [=](int jobs) { return compile_processes(command, jobs, compile_timeout); }};
}

}  // namespace fdkbench
