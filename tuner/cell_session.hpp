#pragma once

#include "tuner/clock_watch.hpp"
#include "tuner/compile_feed.hpp"
#include "tuner/device_worker.hpp"
#include "tuner/race.hpp"
#include "tuner/sweep.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace fdkbench {

/// What all cells of a sweep share.
struct SweepContext {
    const SweepOptions& options;
    MeasurementSink& sink;
    SweepListener& listener;
    CompileFeed& compiles;
    DeviceWorker& worker;
    SweepOutcome& outcome;
    std::function<bool()> stopping;  ///< interrupted or out of time
};

/// Candidates of one problem to be timed together.
struct CellTask {
    const CellPlan& plan;
    RaceLimits limits;
    /// To confirm: what is known of each candidate, in the plan's order, and its binary. This
    /// session's samples come from one more process. Empty: they are measured for the first time.
    std::vector<Measurement> prior = {};
    std::vector<std::string> hashes = {};
    /// PrepareRequest::baselines.
    std::vector<std::string> baselines = {};
    bool energy = false;  ///< whether to read what each call takes, too, where that is not known
};

/// One cell of a sweep: every candidate is checked as its binary arrives, the correct ones race,
/// each row is recorded as soon as it is final.
class CellSession {
  public:
    CellSession(SweepContext& context, const CellTask& task);

    /// Throws Interrupted when the sweep is stopping and CellUnavailable when the cell cannot be
    /// done. Either way what was timed enough has been recorded, and the rest is left for another
    /// sweep.
    void run();
    /// The best so far, if anything was timed.
    [[nodiscard]] std::optional<Leader> leader() const;
    /// PrepareReply::close_baselines; empty when no worker was needed.
    [[nodiscard]] std::vector<std::string> close_baselines() const;

  private:
    /// kDone: recorded, or the same kernel as another.
    enum class State { kCompiling, kCompiled, kChecked, kDone };
    struct Entry {
        const Candidate* candidate = nullptr;
        State state = State::kCompiling;
        const protocol::CompileReply* compiled = nullptr;
        protocol::CheckReply checked;
        bool loaded = false;   ///< in the slot of the worker that runs now
        Measurement gathered;  ///< what is known beside the check and the race
        int discards = 0;      ///< of its blocks, in a row
        int stalls = 0;        ///< how often it did not end although it had done so before
    };

    [[nodiscard]] bool confirming() const { return !task_.prior.empty(); }
    void check_all();
    void await_compiles();
    void take_compiled();
    void check(int slot);
    bool survived_machine(int slot);
    void ensure_worker();
    void load(const std::vector<int>& slots);
    void race_all();
    void run_block(const std::vector<int>& slots);
    void blame(const WorkerLost& lost, const std::vector<int>& slots);
    bool forgiven(int slot, const WorkerLost& lost);
    void take_block(const std::vector<int>& slots, const protocol::BlockReply& block);
    void discard(const std::vector<int>& slots, const std::string& objection);
    void read_energy();
    void record_timed(const std::vector<int>& slots, int least_samples = 1);
    void fail(int slot, CandidateStatus status, const std::string& message);
    void record(int slot, const Measurement& measurement);
    [[nodiscard]] Measurement measurement_of(int slot) const;
    [[nodiscard]] std::vector<int> slots_in(State state) const;
    void stop_if_asked() const;

    SweepContext& context_;
    const CellTask task_;
    const Problem& problem_;
    std::vector<Entry> entries_;                                     ///< by slot
    std::set<std::tuple<std::string, LaunchPlan, Layout>> kernels_;  ///< already in this cell
    std::optional<protocol::PrepareReply> prepared_;
    std::optional<Race> race_;
    ClockWatch clocks_;
    std::vector<double> baselines_us_;
    std::vector<double> baselines_first_us_;
};

}  // namespace fdkbench
