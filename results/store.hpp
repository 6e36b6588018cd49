#pragma once

#include "src/core/candidate.hpp"
#include "src/core/device_info.hpp"
#include "src/core/measurement.hpp"
#include "src/core/measuring_policy.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fdkbench {

/// Where and with what a sweep ran; a row of table `run`.
struct RunRecord {
    DeviceInfo device;
    MeasuringPolicy policy;
    std::string compiler;  ///< "nvrtc 13.0.88"
    std::string driver;    ///< "" on the host
    std::string commit;
    std::string command;  ///< the command line
};

/// A result of a query: every value as text, with NULL as nothing.
struct QueryResult {
    struct Value {
        std::optional<std::string> text;
        bool numeric = false;  ///< INTEGER or REAL in SQLite: written bare in JSON
    };
    std::vector<std::string> columns;
    std::vector<std::vector<Value>> rows;
};

/// The SQLite database of measurements. Rows are committed as they are added.
class Store {
  public:
    /// Opens or creates, and migrates an older schema. Throws UsageError for a file that is not
    /// such a database or is of a newer version, EnvironmentError when it cannot be written.
    static Store open(const std::filesystem::path& path);
    /// Opens an existing database without the right to change it.
    static Store open_read_only(const std::filesystem::path& path);
    /// For a plan that changes nothing: the database without the right to change it, or an empty
    /// one in memory when there is none.
    static Store open_for_planning(const std::filesystem::path& path);
    ~Store();
    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;

    /// What measured() is asked about from now on.
    void select(const DeviceInfo& device, const MeasuringPolicy& policy);
    /// All later add() calls belong to this run; selects its device and policy.
    void begin_run(const RunRecord& run);
    /// What an empty kernel takes on the current run's device.
    void set_empty_launch(double time_us);
    /// Stores when the current run ended, and how many seconds it kept the device busy.
    void end_run(double device_s);

    [[nodiscard]] std::optional<std::string> binary_hash(const std::string& compile_key) const;
    void remember_binary(const std::string& compile_key, const std::string& hash);
    /// See MeasurementSink::measured; for the device and policy selected.
    [[nodiscard]] bool measured(const Candidate& candidate,
                                const std::optional<std::string>& binary_hash) const;
    /// Gives rows of the same code and launch that older versions stored without it the tiling of
    /// the candidate's plan.
    void learn_tiling(const Candidate& candidate, const std::string& binary_hash);
    /// Adds a row, replacing the same kernel's row for the same cell (a forced re-measurement), and
    /// all rows of the same code on weights in another layout. A confirmation of the row that is
    /// replaced keeps the samples of processes that another sweep has added to it meanwhile.
    void add(const Candidate& candidate,
             const std::optional<std::string>& binary_hash,
             const Measurement& measurement);

    /// Notes in the journal that this kernel is about to run for the first time. Returns how often
    /// the machine went down while it was noted there.
    int begin_attempt(const Candidate& candidate, const std::string& binary_hash);
    /// Takes it out of the journal: the sweep outlived it.
    void end_attempt(const Candidate& candidate, const std::string& binary_hash);
    /// Takes the current winner of the problem's cell as the incumbent, which later rows must beat
    /// by more than `margin` (0.03: 3 %). `processes`: how many the sweep wanted it to rest on.
    void decide(const Problem& problem, double margin, int processes);
    /// Whether that was done for as many processes at least, and no row was added since.
    [[nodiscard]] bool decided(const Problem& problem, int processes) const;
    /// Row of table `cell`, for the device and policy selected; nothing when there is none.
    [[nodiscard]] std::optional<std::int64_t> cell_id(const Problem& problem) const;

    /// Runs one read-only statement. Throws UsageError with SQLite's message and the names of
    /// tables and views for bad SQL or a statement that writes.
    [[nodiscard]] QueryResult query(const std::string& sql,
                                    const std::vector<std::string>& bind = {}) const;

  private:
    struct Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace fdkbench
