#pragma once

#include "src/core/backend.hpp"
#include "src/protocol/messages.hpp"
#include "src/worker/checking.hpp"
#include "src/worker/device_data.hpp"
#include "src/worker/host_data.hpp"
#include "src/worker/timing.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What a device worker knows between requests: the open device, the prepared problem and the
/// candidates that passed their check. Opens the device when a request first needs it.
class Session {
  public:
    explicit Session(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

    /// See Backend::devices().
    [[nodiscard]] std::vector<DeviceInfo> devices() { return backend_->devices(); }
    protocol::CeilingsReply ceilings(const protocol::CeilingsRequest& request);
    protocol::PrepareReply prepare(const protocol::PrepareRequest& request);
    /// Everything that is the candidate's fault becomes a status of the reply; so does what the
    /// machine lacks for this candidate alone (constraints). Throws EnvironmentError when the
    /// device has no room for the weights in its layout.
    protocol::CheckReply check(const protocol::CheckRequest& request);
    /// Calls `timing` before each slot. Throws DeviceLost when a candidate faults now: there is no
    /// status to report it with.
    protocol::BlockReply block(const protocol::BlockRequest& request,
                               const std::function<void(int slot)>& timing);
    protocol::EnergyReply energy(const protocol::EnergyRequest& request);

  private:
    /// A runnable with its own workspace, which its replay may use at any time.
    struct Contestant {
        std::unique_ptr<Runnable> runnable;
        std::unique_ptr<Buffer> workspace;
        std::vector<Arguments> rotation;
        TimedReplay timed;
        std::optional<std::size_t> place;  ///< of x and y in the replay; none: not moved
    };
    struct Prepared {
        Problem problem;
        MeasuringPolicy policy;
        References references;
        Contestant best;
        std::optional<Contestant> first;  ///< none when the first heuristic choice is the best
        std::map<int, Contestant> slots;
    };

    void open(std::size_t device);
    [[nodiscard]] References references(const Problem& problem);
    void look_closer(std::vector<Contestant>& baselines);
    [[nodiscard]] std::vector<Contestant> timed_baselines(const Problem& problem,
                                                          const std::vector<std::string>& names);
    std::vector<std::string> choose_baselines(Prepared& prepared,
                                              const std::vector<std::string>& names);
    void check_into(protocol::CheckReply& reply, const protocol::CheckRequest& request);
    [[nodiscard]] bool device_works();
    [[nodiscard]] std::unique_ptr<Buffer> workspace_for(const Runnable& runnable);
    [[nodiscard]] double floor_us(const Problem& problem);
    [[nodiscard]] Prepared& prepared();
    [[nodiscard]] Contestant& contestant(int slot);
    void next_place();
    [[nodiscard]] double time_in_place(Contestant& contestant);
    void warm_up(Replay& replay);

    std::unique_ptr<Backend> backend_;
    std::optional<std::size_t> device_;
    DeviceInfo info_;  ///< of the open device
    HostData host_;
    std::optional<DeviceData> data_;
    std::optional<Prepared> prepared_;
    std::size_t place_ = 0;                            ///< of x and y in this block
    std::chrono::steady_clock::time_point worked_at_;  ///< when the last block ended
};

}  // namespace fdkbench
