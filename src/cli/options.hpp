#pragma once

#include "results/table_rules.hpp"
#include "src/core/measuring_policy.hpp"
#include "src/core/problem.hpp"
#include "tuner/problems.hpp"
#include "tuner/shard.hpp"
#include "tuner/sweep.hpp"
#include "tuner/worker.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// Where a command measures and what it measures with.
struct MachineOptions {
    std::vector<std::string> devices;   ///< "cuda:0", "host", "all"; empty: the best there is
    std::vector<std::string> launcher;  ///< words before each device worker
    Timeouts timeouts;
    std::string db;
    std::string cache_dir;
    int jobs = 1;  ///< compile processes
};

/// `fdkbench devices`.
struct DevicesOptions {
    bool measure = false;
    bool json = false;
    std::vector<std::string> launcher;  ///< words before each device worker
};

/// `fdkbench sweep`.
struct SweepCommandOptions {
    MachineOptions machine;
    std::vector<Problem> problems;  ///< validated; the shard's, which may have none
    Shard shard;
    std::size_t all_cells = 0;  ///< of all shards
    std::string include;
    std::string exclude;
    std::optional<std::chrono::steady_clock::time_point> deadline;  ///< of all devices together
    bool quick = false;
    bool boundaries = false;  ///< measure also between the m, where the table's kernels change
    bool dry_run = false;
    bool force = false;
    bool json = false;
    MeasuringPolicy policy;
    std::chrono::seconds race_time{5};
    int confirmations = SweepOptions{}.confirmations;
    double margin = 0.03;
    bool complete = false;
    std::string command;  ///< the command line, for the record
};

/// `fdkbench verify`.
struct VerifyOptions {
    MachineOptions machine;
    std::string policy;       ///< of the winners; empty: the newest
    double sample_pct = 100;  ///< of the winners
    std::string ledger;       ///< file; empty: none is written
};

/// `fdkbench table-check`.
struct TableCheckOptions {
    MachineOptions machine;
    ProblemAxes axes;      ///< as typed; what is missing depends on the table
    std::string policy;    ///< of the table; empty: the newest
    std::string check_db;  ///< what the check measures is kept there
    double max_mean_loss = 0.02;
    double max_loss = 0.1;
    bool json = false;
    std::chrono::seconds race_time{5};
    int confirmations = 0;
    std::string command;  ///< the command line, for the record
};

/// `fdkbench noise`.
struct NoiseOptions {
    MachineOptions machine;
    Problem problem;
    MeasuringPolicy policy;
    int processes = 5;
    int confirmations = 0;  ///< of the sweep whose resolution is told
};

/// `fdkbench merge`.
struct MergeOptions {
    std::string output;
    std::vector<std::string> inputs;
};

/// `fdkbench export-table`.
struct ExportOptions {
    std::string format;  ///< "json", "header" or "csv"
    std::string output;  ///< empty: standard output
    std::string device;
    std::string policy;  ///< empty: the newest
    TableRules rules;
    std::vector<Shape> extrapolate;  ///< matrices to add if they were not swept; their m is 0
    std::string db;
    std::string bundle;     ///< file for table and kernels; not with format and output
    std::string cache_dir;  ///< where a bundle's kernels are
};

/// `fdkbench explain`.
struct ExplainOptions {
    Problem problem;
    std::string device;  ///< whose table; may be empty
    std::string policy;  ///< of that table; empty: the newest
    TableRules rules;    ///< of that table
    std::string db;
};

/// `fdkbench query`.
struct QueryOptions {
    std::string sql;     ///< empty: the best per cell
    std::string format;  ///< "table", "csv" or "json"
    std::string db;
};

}  // namespace fdkbench
