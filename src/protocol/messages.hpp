#pragma once

#include "src/core/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What the coordinator asks and a worker answers: JSON Lines, one request in flight per worker.
/// A request is {"request": NAME, …members}; its answer {"reply": NAME, …members}, or an ErrorReply
/// with {"reply": "error"}. Before the answer there may be events: {"event": NAME, …members}.
namespace fdkbench::protocol {

/// Both sides must name the same version.
inline constexpr int kVersion = 5;

/// A fault that is no candidate's.
struct ErrorReply {
    static constexpr const char* kName = "error";
    int code = 0;  ///< ExitCode
    std::string message;
};

struct HelloRequest {
    static constexpr const char* kName = "hello";
};
struct HelloReply {
    int version = kVersion;
    std::string backend;                                        ///< "cuda" or "host"
    std::string compiler;                                       ///< KernelCompiler::version()
    std::vector<DeviceInfo> devices;                            ///< empty when there is none
    std::vector<std::pair<std::string, std::string>> versions;  ///< {"CUDA runtime", "13.0"}, …
};

/// Measures and returns the ceilings of one device.
struct CeilingsRequest {
    static constexpr const char* kName = "ceilings";
    std::size_t device = 0;  ///< index into HelloReply::devices
};
struct CeilingsReply {
    std::vector<Ceiling> ceilings;
};

/// Makes one problem ready on one device: data, reference, baseline, floor. Forgets the last one.
struct PrepareRequest {
    static constexpr const char* kName = "prepare";
    std::size_t device = 0;
    Problem problem;
    MeasuringPolicy policy;
    /// PrepareReply::close_baselines of another process: only these are timed. All are when it is
    /// empty, or names one that the library does not have.
    std::vector<std::string> baselines = {};
    bool floor = true;  ///< whether floor_us and empty_launch_us are wanted
};
struct PrepareReply {
    std::string baseline;    ///< name of the best algorithm: "cuBLASLt bf16, algorithm 3 of 8"
    double baseline_us = 0;  ///< the best algorithm, a first estimate
    double baseline_first_us = 0;  ///< the first heuristic choice, a first estimate
    /// Names of the algorithms that a process which prepares this again should time: the first that
    /// works, and all within 3 % of the best.
    std::vector<std::string> close_baselines = {};
    std::optional<double> floor_us;
    std::optional<double> empty_launch_us;  ///< what a kernel that does nothing takes
    std::int64_t copies = 0;                ///< of the weights (canonical), rotated over
    /// That use the device now, the worker among them; see Backend::compute_processes().
    std::optional<int> compute_processes;
};

/// Loads a compiled candidate, checks it, and on success keeps it under `slot` for blocks.
struct CheckRequest {
    static constexpr const char* kName = "check";
    int slot = 0;
    std::string binary;  ///< path
    LaunchPlan plan;
    Layout layout = Layout::kCanonical;  ///< of the weights it reads
};
struct CheckReply {
    CandidateStatus status = CandidateStatus::kCorrect;
    std::string message;
    std::optional<Accuracy> accuracy;
    std::optional<Accuracy> accuracy_original;
    std::optional<bool> repeatable;
    std::optional<KernelResources> resources;
    double time_us = 0;  ///< a first estimate, when the status is `correct`
    /// The device is unusable after this candidate: the worker exits once it has answered.
    bool worker_ends = false;
};

/// Times slots in the given order between two replays of the best baseline.
struct BlockRequest {
    static constexpr const char* kName = "block";
    std::vector<int> slots;
};
struct BlockReply {
    Conditions before;  ///< of the device, warmed up
    Conditions after;
    double baseline_before_us = 0;
    double baseline_after_us = 0;
    double baseline_first_us = 0;  ///< the first heuristic choice, timed in the same block
    std::vector<double> times_us;  ///< one for each slot
};

/// Sent before each slot of a block is timed: who is to blame when nothing follows.
struct TimingEvent {
    static constexpr const char* kName = "timing";
    int slot = 0;  ///< −1: the baseline
};

/// The last words of a worker whose device is lost: no reply follows.
struct FaultEvent {
    static constexpr const char* kName = "fault";
    std::string message;
};

/// Runs a slot without a pause until the device's energy counter has told what a call takes.
struct EnergyRequest {
    static constexpr const char* kName = "energy";
    int slot = 0;
};
struct EnergyReply {
    std::optional<double> energy_uj;  ///< per call; nothing when the device does not count it
};

/// Answered by a worker started with --compile: compiles (or finds in the cache) one candidate.
struct CompileRequest {
    static constexpr const char* kName = "compile";
    std::string cache_dir;
    std::string family;
    std::vector<std::string> options;
    std::string arch;
    std::string compile_key;
};
struct CompileReply {
    CandidateStatus status = CandidateStatus::kCorrect;  ///< or `compile`
    std::string message;                                 ///< the compiler's log, when it failed
    std::string binary_hash;
    std::string binary;  ///< path in the cache
    double seconds = 0;  ///< 0 when it came from the cache
};

// to_json / from_json of every message above, and:

/// {"request": T::kName, …} of a request.
template <typename Request>
Json request_json(const Request& request) {
    Json json = request;
    json["request"] = Request::kName;
    return json;
}

/// {"event": T::kName, …} of an event.
template <typename Event>
Json event_json(const Event& event) {
    Json json = event;
    json["event"] = Event::kName;
    return json;
}

void to_json(Json& json, const ErrorReply& value);
void from_json(const Json& json, ErrorReply& value);
void to_json(Json& json, const HelloRequest& value);
void from_json(const Json& json, HelloRequest& value);
void to_json(Json& json, const HelloReply& value);
void from_json(const Json& json, HelloReply& value);
void to_json(Json& json, const CeilingsRequest& value);
void from_json(const Json& json, CeilingsRequest& value);
void to_json(Json& json, const CeilingsReply& value);
void from_json(const Json& json, CeilingsReply& value);
void to_json(Json& json, const PrepareRequest& value);
void from_json(const Json& json, PrepareRequest& value);
void to_json(Json& json, const PrepareReply& value);
void from_json(const Json& json, PrepareReply& value);
void to_json(Json& json, const CheckRequest& value);
void from_json(const Json& json, CheckRequest& value);
void to_json(Json& json, const CheckReply& value);
void from_json(const Json& json, CheckReply& value);
void to_json(Json& json, const BlockRequest& value);
void from_json(const Json& json, BlockRequest& value);
void to_json(Json& json, const BlockReply& value);
void from_json(const Json& json, BlockReply& value);
void to_json(Json& json, const TimingEvent& value);
void from_json(const Json& json, TimingEvent& value);
void to_json(Json& json, const FaultEvent& value);
void from_json(const Json& json, FaultEvent& value);
void to_json(Json& json, const EnergyRequest& value);
void from_json(const Json& json, EnergyRequest& value);
void to_json(Json& json, const EnergyReply& value);
void from_json(const Json& json, EnergyReply& value);
void to_json(Json& json, const CompileRequest& value);
void from_json(const Json& json, CompileRequest& value);
void to_json(Json& json, const CompileReply& value);
void from_json(const Json& json, CompileReply& value);

}  // namespace fdkbench::protocol
