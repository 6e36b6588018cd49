#include "src/core/error.hpp"
#include "tuner/compile_pool.hpp"
#include "tuner/request_channel.hpp"
#include "tuner/worker.hpp"

#include <fmt/format.h>

namespace fdkbench {

namespace {

/// Opening a device is slow where the driver has to be woken up.
constexpr std::chrono::seconds kHelloTimeout{60};
/// Preparing computes a reference, on a CPU in the worst case; ceilings time large copies.
constexpr std::chrono::minutes kPrepareTimeout{10};
constexpr std::chrono::seconds kEnergyTimeout{30};

class WorkerProcess final : public Worker {
  public:
    WorkerProcess(const std::string& path, const std::atomic<bool>* stop)
        : path_(path), channel_("worker", {path}, stop) {}

    protocol::HelloReply hello() override {
        auto reply = channel_.ask<protocol::HelloReply>(protocol::HelloRequest{}, kHelloTimeout);
        if (reply.version != protocol::kVersion) {
            throw EnvironmentError(
                fmt::format("{} speaks version {} of the protocol, this program version {}: "
                            "build both again",
                            path_,
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
    std::string path_;
    RequestChannel channel_;
};

}  // namespace

WorkerFactory worker_processes(const std::string& path,
                               std::chrono::seconds compile_timeout,
                               const std::atomic<bool>* stop) {
    return {[=] { return std::make_unique<WorkerProcess>(path, stop); },
            [=](int jobs) { return compile_processes(path, jobs, compile_timeout); }};
}

}  // namespace fdkbench
