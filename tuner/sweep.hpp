#pragma once

#include "src/core/candidate.hpp"
#include "src/core/measurement.hpp"
#include "src/core/measuring_policy.hpp"
#include "tuner/worker.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// A kernel that may win its cell, as it was recorded.
struct Finalist {
    std::string family;
    Params params;
    std::string binary_hash;
    Measurement measurement;
};

/// Where a sweep looks up what is already known and puts what it finds. The command line gives the
/// database; tests give memory. record() must have made the row durable when it returns.
class MeasurementSink {
  public:
    virtual ~MeasurementSink() = default;
    /// Hash of the binary that an earlier compilation under this key gave, if any.
    virtual std::optional<std::string> binary_hash(const std::string& compile_key) = 0;
    /// Remembers it.
    virtual void remember_binary(const std::string& compile_key, const std::string& hash) = 0;
    /// Whether this kernel (binary hash, launch plan and layout; for a candidate that never
    /// compiled, its compile key) has a row for the problem under the sweep's device and policy.
    virtual bool measured(const Candidate& candidate,
                          const std::optional<std::string>& binary_hash) = 0;
    virtual void record(const Candidate& candidate,
                        const std::optional<std::string>& binary_hash,
                        const Measurement& measurement) = 0;
    /// Makes durable that this kernel is about to run for the first time; returns how often the
    /// machine went down while it did.
    virtual int begin_attempt(const Candidate& candidate, const std::string& binary_hash) = 0;
    /// The sweep outlived that.
    virtual void end_attempt(const Candidate& candidate, const std::string& binary_hash) = 0;
    /// Kernels to time in further processes until the cell's winner rests on `processes`, the
    /// winner as things stand first; none when it does.
    virtual std::vector<Finalist> unconfirmed(const Problem& problem, int processes) = 0;
    /// All of the cell's rows are there: who wins now stays the winner until beaten by `margin`.
    virtual void decide(const Problem& problem, double margin, int processes) = 0;
    /// Whether that was done for as many processes at least, and no row was added since.
    virtual bool decided(const Problem& problem, int processes) = 0;
    /// What an empty kernel takes on the sweep's device.
    virtual void set_empty_launch(double time_us) = 0;
};

/// The fastest of a cell so far, for progress lines. Which kernel wins is decided where results are
/// read: ties go to the cheaper one.
struct Leader {
    std::string family;
    Params params;
    double time_us = 0;
    double ratio = 0;
};

/// What a sweep tells while it runs. Every function may be called often; all default to nothing.
class SweepListener {
  public:
    virtual ~SweepListener() = default;
    virtual void planned(std::size_t /*cells*/,
                         std::size_t /*candidates*/,
                         std::size_t /*already_measured*/) {}
    virtual void compiled(const Candidate&, const protocol::CompileReply&) {}
    virtual void cell_started(std::size_t /*index*/, const Problem&) {}
    virtual void cell_prepared(const Problem&, const protocol::PrepareReply&) {}
    virtual void candidate_done(const Candidate&, const Measurement&) {}
    /// It compiled to a kernel that this cell already has: nothing is measured.
    virtual void candidate_known(const Candidate&) {}
    virtual void cell_progress(const Problem&, const std::optional<Leader>&) {}
    /// So many of the cell's kernels are timed again in a fresh process.
    virtual void confirming(const Problem&, std::size_t /*kernels*/) {}
    virtual void cell_done(std::size_t /*index*/, const Problem&, const std::optional<Leader>&) {}
    virtual void warning(const std::string& /*message*/) {}
};

/// What to sweep.
struct SweepOptions {
    std::vector<Problem> problems;
    DeviceInfo device;
    std::size_t device_index = 0;  ///< index of the device in its worker's HelloReply
    std::string compiler;          ///< HelloReply::compiler
    MeasuringPolicy policy;
    std::string include;  ///< regular expression a family name must match; empty: all
    std::string exclude;  ///< regular expression a family name must not match; empty: none
    bool quick = false;   ///< only points within one step of each family's first values
    bool force = false;   ///< measure again what is already known
    bool part = false;    ///< a share of a sweep: may hold only problems that no family can do
    int jobs = 1;         ///< compile processes
    std::string cache_dir;
    std::optional<std::chrono::steady_clock::time_point> deadline;  ///< stop measuring then
    Timeouts timeouts;
    /// Of the race for one cell; the rounds that give an interval are always run.
    std::chrono::seconds race_time{5};
    /// Fresh processes in which a cell's finalists are timed again. So many that a cell which is
    /// swept again gives the same ratio within 1 % (results/published/h100-notes.md), and not fewer
    /// where they seem to agree: that is also where they happen to err alike.
    int confirmations = 16;
    double margin = 0.03;   ///< by which an incumbent must be beaten
    bool complete = false;  ///< nobody leaves a race before its end
};

/// The candidates of one problem, and how many points were skipped for which reason.
struct CellPlan {
    Problem problem;
    std::vector<Candidate> candidates;
    std::map<std::string, int> skipped;  ///< "lut_mma: needs 260 KiB of shared memory" → count
    bool unconfirmed = false;            ///< its winner is known, but not confirmed yet
    bool first_stays =
        false;  ///< the first candidate races until it has an interval (Racer::stays)
    [[nodiscard]] bool has_work() const { return unconfirmed || !candidates.empty(); }
};

/// What remains to be done after what the sink already has.
struct SweepPlan {
    /// m varies fastest; without what the sink has and without second candidates that are known to
    /// compile to a cell's same kernel.
    std::vector<CellPlan> cells;
    std::size_t candidates = 0;        ///< over all cells, those already measured included
    std::size_t already_measured = 0;  ///< of these
    std::size_t unconfirmed = 0;       ///< cells whose known winner is not confirmed yet
    std::size_t compiles = 0;          ///< distinct compile keys not in the cache
    /// Of the whole sweep, roughly: compiles × 0.35 s (host: 2 s) ÷ jobs, 0.4 s (host: 1 s) for
    /// each cell with work, 0.01 s (host: 0.2 s) for each candidate.
    std::chrono::seconds estimate{0};
};

/// Leaves of the cells' candidates what the sink does not have, changing nothing else.
SweepPlan plan_cells(std::vector<CellPlan> cells,
                     const SweepOptions& options,
                     MeasurementSink& sink);

/// Enumerates cells and candidates, changing nothing. Throws UsageError for a bad regular
/// expression, or (unless `part`) when no family is left for any problem, saying why.
SweepPlan plan_sweep(const SweepOptions& options, MeasurementSink& sink);

/// How long a device was kept busy, in seconds.
struct DeviceSeconds {
    double prepare = 0;  ///< starting workers; data, reference and baseline of every cell
    double check = 0;    ///< loading and checking candidates
    double race = 0;     ///< timing blocks, confirmations included
    double energy = 0;   ///< reading what a call takes
    [[nodiscard]] double total() const { return prepare + check + race + energy; }
};

DeviceSeconds sum(const std::vector<DeviceSeconds>& devices);

/// How a sweep ended.
struct SweepOutcome {
    bool complete = true;  ///< false: interrupted or out of time; what was measured is kept
    std::vector<std::string> left_out;  ///< "problem: reason" of cells that could not be done
    std::size_t measured = 0;
    std::map<CandidateStatus, int> statuses;  ///< of the candidates measured now
    /// Ids of devices that became others; the rest of their cells was not measured.
    std::vector<std::string> changed;
    std::vector<DeviceSeconds> seconds;  ///< of each lane's device
};

/// Adds what a later part of the sweep did on the same devices.
void add(SweepOutcome& total, const SweepOutcome& part);

/// One device of a sweep.
struct SweepLane {
    SweepOptions options;  ///< equal but for the device
    WorkerFactory factory;
    MeasurementSink& sink;  ///< used by this lane alone
};

/// Runs the plan on lanes whose devices share a key, each in a thread of its own: they take the
/// cells from one queue. For each cell: compile ahead, check, race, record; then the finalists are
/// confirmed. Returns early when `stop` becomes true. A cell for which the device or the machine
/// lacks something is left out, with a warning; so is a device that is slower than its siblings
/// reported. A lane whose device becomes another one ends, with a warning.
SweepOutcome run_sweep(std::vector<SweepLane>& lanes,
                       const SweepPlan& plan,
                       SweepListener& listener,
                       const std::atomic<bool>& stop);

}  // namespace fdkbench
