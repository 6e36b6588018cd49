#pragma once

#include "tuner/sweep.hpp"

#include <memory>
#include <stdexcept>

namespace fdkbench {

/// The device or the machine lacks something for this cell; others may still work.
class CellUnavailable : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The sweep's worker, started when it is first needed and again after it was lost. An environment
/// fault that a worker reports becomes CellUnavailable. Losing it three times in a row without an
/// answer in between is an EnvironmentError.
class DeviceWorker {
  public:
    DeviceWorker(const SweepOptions& options, WorkerFactory& factory)
        : options_(options), factory_(factory) {}

    /// Starts a worker where there is none, as often as it takes.
    protocol::PrepareReply prepare(const Problem& problem);
    /// Both throw WorkerLost; running() is false then.
    protocol::CheckReply check(const protocol::CheckRequest& request);
    protocol::BlockReply block(const protocol::BlockRequest& request);
    /// Whether the worker that got the last prepare() is still there.
    [[nodiscard]] bool running() const { return worker_ != nullptr; }

  private:
    template <typename Call>
    auto ask(Call call);

    const SweepOptions& options_;
    WorkerFactory& factory_;
    std::unique_ptr<Worker> worker_;
    int losses_in_a_row_ = 0;
};

}  // namespace fdkbench
