#pragma once

#include "src/core/error.hpp"
#include "tuner/sweep.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace fdkbench {

/// The device or the machine lacks something for this cell; others may still work.
class CellUnavailable : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A worker was started that has another device than the sweep's.
class DeviceChanged : public EnvironmentError {
  public:
    using EnvironmentError::EnvironmentError;
};

/// What the workers of one lane saw of their device, one after another.
struct DeviceUse {
    DeviceSeconds seconds;  ///< how long workers were busy
    bool shared = false;    ///< other programs used it, and that was told
};

/// A worker process of a sweep, started when it is first needed and again after it was lost. An
/// environment fault that a worker reports becomes CellUnavailable. Losing it three times with no
/// candidate to blame, and no block timed in between, is an EnvironmentError.
class DeviceWorker {
  public:
    /// The only one of its device that runs: more processes there are others', of which `listener`
    /// is told once.
    DeviceWorker(const SweepOptions& options,
                 WorkerFactory& factory,
                 DeviceUse& use,
                 SweepListener& listener)
        : options_(options), factory_(factory), use_(use), listener_(listener) {}

    /// Starts a worker where there is none, as often as it takes. `baselines`, `floor`: see
    /// PrepareRequest. Throws DeviceChanged when it has not the sweep's device.
    protocol::PrepareReply prepare(const Problem& problem,
                                   const std::vector<std::string>& baselines = {},
                                   bool floor = true);
    /// All throw WorkerLost; running() is false then. A candidate may take timeouts.candidate; once
    /// others of the problem were correct, three times as long as the longest of them, but at least
    /// 5 s.
    protocol::CheckReply check(const protocol::CheckRequest& request);
    protocol::BlockReply block(const protocol::BlockRequest& request);
    protocol::EnergyReply energy(const protocol::EnergyRequest& request);
    /// Whether the worker that got the last prepare() is still there.
    [[nodiscard]] bool running() const { return worker_ != nullptr; }
    /// Ends the worker, if there is one.
    void stop() { worker_.reset(); }

  private:
    using Milliseconds = std::chrono::milliseconds;
    template <typename Call>
    auto ask(double& seconds, Call call);
    void start();
    void look_for_others(const protocol::PrepareReply& prepared);
    void count_loss(const WorkerLost& lost);
    [[nodiscard]] Milliseconds limit() const;

    const SweepOptions& options_;
    WorkerFactory& factory_;
    DeviceUse& use_;
    SweepListener& listener_;
    std::unique_ptr<Worker> worker_;
    int unexplained_losses_ = 0;
    Milliseconds longest_check_{0};  ///< of a correct candidate of this problem
};

}  // namespace fdkbench
