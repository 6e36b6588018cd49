#pragma once

#include "src/core/error.hpp"
#include "tuner/sweep.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// A device, a compiler and a database that exist in memory only. fakes.cpp registers the families
/// that they run: `fake_mm` and `fake_mv` (which reads fragments) for backend "fake", `fake_host`
/// for backend "host".
namespace fdkbench::fakes {

/// A row as the sink got it.
struct Row {
    Candidate candidate;
    std::optional<std::string> hash;
    Measurement measurement;
};

/// Knows kernels as the contract says: binary hash, plan and layout, or compile key.
class MemorySink : public MeasurementSink {
  public:
    std::optional<std::string> binary_hash(const std::string& compile_key) override;
    void remember_binary(const std::string& compile_key, const std::string& hash) override;
    bool measured(const Candidate& candidate, const std::optional<std::string>& hash) override;
    void record(const Candidate& candidate,
                const std::optional<std::string>& hash,
                const Measurement& measurement) override;

    int begin_attempt(const Candidate& candidate, const std::string& hash) override;
    void end_attempt(const Candidate& candidate, const std::string& hash) override;
    /// The fastest row of the cell, among those of several processes if there are any.
    std::vector<Finalist> unconfirmed(const Problem& problem, int processes) override;
    void decide(const Problem& problem, double margin, int processes) override;
    bool decided(const Problem& problem, int processes) override;
    void set_empty_launch(double time_us) override { empty_launch_us = time_us; }

    /// The row of the only candidate whose options contain `option`.
    [[nodiscard]] const Row& row(const std::string& option) const;

    std::vector<Row> rows;
    std::map<std::string, std::string> hashes;
    std::map<std::string, int> crashes;  ///< by hash: what begin_attempt() returns, else 0
    std::set<std::string> attempts;      ///< begun and not ended
    std::vector<std::pair<Problem, double>> decisions;
    double empty_launch_us = 0;
};

/// What the fake processes do, and what they did. A kernel is called by its compiler options:
/// "fake_mm … -DFDK_TILE=2 -DFDK_WARPS=4"; the keys of the maps are parts of such a name.
struct World {
    std::map<std::string, double> times_us;                ///< else 100
    std::map<std::string, CandidateStatus> check_results;  ///< else correct
    std::set<std::string> compile_failures;
    std::set<std::string> dies_in_check;
    std::set<std::string> dies_once_in_check;
    std::set<std::string> dies_in_block;
    std::set<std::string> dies_once_in_block;           ///< an element is taken out when it happens
    CandidateStatus death = CandidateStatus::kRuntime;  ///< of both
    std::set<std::string> same_code;  ///< kernels that compile to one and the same binary
    std::map<std::int64_t, Error> prepare_errors;  ///< by m
    bool dies_in_prepare = false;
    std::map<std::size_t, DeviceInfo>
        devices;                           ///< of the first, second, … worker; else the sweep's
    double baseline_us = 100;              ///< as prepare() tells it
    std::optional<int> compute_processes;  ///< on the device, as prepare() tells it
    std::vector<std::string> close_baselines;  ///< as prepare() tells them
    bool announces_slots = true;  ///< so that the coordinator knows who killed a worker in a block
    std::chrono::milliseconds last_limit{0};  ///< of a check
    std::map<std::string, Layout> layouts;    ///< that checks asked for, by kernel
    double noise = 0.002;                     ///< relative standard deviation of a replay
    /// What the first, second, … worker multiplies the times of kernels at this m by.
    std::function<double(std::size_t worker, std::int64_t m)> drift =
        [](std::size_t, std::int64_t) { return 1; };
    std::vector<Conditions> conditions;  ///< of the next blocks; else none
    std::optional<double> energy_uj;
    std::function<void()> on_block = [] {};

    std::vector<std::string> events;  ///< "prepare m=1", "check NAME", "block 3", "worker"
    std::vector<protocol::PrepareRequest> prepares;
    int compiling = 0;  ///< requests in the pool now
    int overlaps = 0;   ///< calls of the worker while something compiled
    std::size_t compiles = 0;
    std::size_t samples = 0;
    std::mt19937 random{7};

    [[nodiscard]] std::size_t count(const std::string& event_start) const;
    WorkerFactory factory();
};

/// One problem after another for the fake backend: m × {bits}, n = k = 64, group size 32.
SweepOptions sweep_options(const std::vector<std::int64_t>& m, const std::vector<int>& bits);

}  // namespace fdkbench::fakes
