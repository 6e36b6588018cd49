#pragma once

#include "src/protocol/messages.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fdkbench {

/// The worker died or did not answer in time; the caller starts another. `status` is what the
/// candidate in flight gets: `runtime` or `timeout`.
class WorkerLost : public std::runtime_error {
  public:
    WorkerLost(CandidateStatus status, const std::string& message, std::optional<int> slot = {})
        : std::runtime_error(message), status_(status), slot_(slot) {}
    [[nodiscard]] CandidateStatus status() const { return status_; }
    /// The slot of a block that was being timed, as the worker had announced it.
    [[nodiscard]] std::optional<int> slot() const { return slot_; }

  private:
    CandidateStatus status_;
    std::optional<int> slot_;
};

/// The stop flag was raised while a worker was busy.
class Interrupted : public std::runtime_error {
  public:
    Interrupted() : std::runtime_error("interrupted") {}
};

/// One device worker, as the sweep sees it. Every call may throw WorkerLost, Interrupted, or the
/// Error that the worker reported.
class Worker {
  public:
    virtual ~Worker() = default;
    /// Also throws EnvironmentError for a worker that this program cannot work with.
    virtual protocol::HelloReply hello() = 0;
    virtual protocol::CeilingsReply ceilings(const protocol::CeilingsRequest& request) = 0;
    virtual protocol::PrepareReply prepare(const protocol::PrepareRequest& request) = 0;
    /// It is killed when it does not answer within `limit`.
    virtual protocol::CheckReply check(const protocol::CheckRequest& request,
                                       std::chrono::milliseconds limit) = 0;
    /// It is killed when nothing is heard of it for `limit`: it announces every slot.
    virtual protocol::BlockReply block(const protocol::BlockRequest& request,
                                       std::chrono::milliseconds limit) = 0;
    virtual protocol::EnergyReply energy(const protocol::EnergyRequest& request) = 0;
};

/// What a compile pool hands back: the index given to submit(), and the reply.
struct CompileDone {
    std::size_t ticket = 0;
    protocol::CompileReply reply;
};

/// Compiles requests on several processes, first in, first out.
class CompilePool {
  public:
    virtual ~CompilePool() = default;
    virtual void submit(std::size_t ticket, const protocol::CompileRequest& request) = 0;
    /// The next finished compilation, or nothing when none is done within the timeout. Throws the
    /// Error that a compile process reported: no compiler, an unwritable cache.
    virtual std::optional<CompileDone> next(std::chrono::milliseconds timeout) = 0;
};

/// How long a process may take over one candidate before it is killed.
struct Timeouts {
    std::chrono::seconds candidate{30};  ///< for a check, and for each replay of a block
    std::chrono::seconds compile{300};
};

/// How the sweep gets its processes; tests give fakes.
struct WorkerFactory {
    std::function<std::unique_ptr<Worker>()> worker;
    std::function<std::unique_ptr<CompilePool>(int jobs)> compile_pool;
};

/// How processes of a worker program are started.
struct WorkerCommand {
    WorkerCommand(std::string program) : path(std::move(program)) {}
    /// The words of the launcher, then the program.
    [[nodiscard]] std::vector<std::string> argv() const;

    std::string path;                      ///< "…/fdkbench-worker-cuda"
    std::vector<std::string> launcher;     ///< {"srun", "-G1"}; empty: it is started directly
    bool compiles_under_launcher = false;  ///< compile processes are started like device workers
};

/// Processes of a worker program, started when first spoken to. A compilation may take
/// `compile_timeout`. While a process is waited for, `stop` (where given; it must outlive the
/// processes) raises Interrupted within a second.
WorkerFactory worker_processes(const WorkerCommand& command,
                               std::chrono::seconds compile_timeout = Timeouts{}.compile,
                               const std::atomic<bool>* stop = nullptr);

}  // namespace fdkbench
