#include "src/core/artifact_cache.hpp"
#include "src/core/error.hpp"
#include "tuner/problems.hpp"
#include "tuner/search_space.hpp"
#include "tuner/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

namespace fdkbench {

namespace {

/// What one step of a sweep takes, roughly, in seconds.
struct StepSeconds {
    double compile;
    double prepare;  ///< a cell: data, reference, baseline
    double measure;  ///< a candidate: check and race
};
constexpr StepSeconds kCudaSeconds{0.35, 0.4, 0.01};
constexpr StepSeconds kHostSeconds{2.0, 1.0, 0.2};

/// Asks the sink once for each compile key, which serves several cells.
class KnownBinaries {
  public:
    explicit KnownBinaries(MeasurementSink& sink) : sink_(sink) {}
    const std::optional<std::string>& hash(const std::string& compile_key) {
        const auto [entry, is_new] = hashes_.try_emplace(compile_key);
        if (is_new) {
            entry->second = sink_.binary_hash(compile_key);
        }
        return entry->second;
    }

  private:
    MeasurementSink& sink_;
    std::map<std::string, std::optional<std::string>> hashes_;
};

/// Leaves what is still to be measured; returns how many candidates the sink already has.
std::size_t drop_known(CellPlan& cell, bool force, MeasurementSink& sink, KnownBinaries& binaries) {
    std::size_t known = 0;
    std::set<std::pair<std::string, LaunchPlan>> kernels;
    std::vector<Candidate> remaining;
    for (Candidate& candidate : cell.candidates) {
        const std::optional<std::string>& hash = binaries.hash(candidate.compile_key);
        if (!force && sink.measured(candidate, hash)) {
            ++known;
        } else if (!hash || kernels.emplace(*hash, candidate.plan).second) {
            remaining.push_back(std::move(candidate));
        }
    }
    cell.candidates = std::move(remaining);
    return known;
}

std::size_t count_compiles(const SweepPlan& plan, const std::string& cache_dir) {
    std::set<std::string> keys;
    for (const CellPlan& cell : plan.cells) {
        for (const Candidate& candidate : cell.candidates) {
            keys.insert(candidate.compile_key);
        }
    }
    // Opening a cache creates it, and a plan changes nothing.
    if (keys.empty() || !std::filesystem::is_directory(cache_dir)) {
        return keys.size();
    }
    const ArtifactCache cache(cache_dir);
    return static_cast<std::size_t>(std::count_if(
        keys.begin(), keys.end(), [&](const std::string& key) { return !cache.find(key); }));
}

std::chrono::seconds estimate(const SweepPlan& plan, const SweepOptions& options) {
    const StepSeconds& step = options.device.backend == "host" ? kHostSeconds : kCudaSeconds;
    double seconds = step.compile * static_cast<double>(plan.compiles) / std::max(1, options.jobs);
    for (const CellPlan& cell : plan.cells) {
        if (!cell.candidates.empty()) {
            seconds += step.prepare + step.measure * static_cast<double>(cell.candidates.size());
        }
    }
    return std::chrono::seconds(std::llround(std::ceil(seconds)));
}

[[noreturn]] void throw_no_candidate(const SweepPlan& plan, const SweepOptions& options) {
    std::set<std::string> reasons;
    for (const CellPlan& cell : plan.cells) {
        for (const auto& [reason, count] : cell.skipped) {
            reasons.insert(reason);
        }
    }
    throw UsageError(fmt::format("no kernel family can do any of these problems on {}: {}",
                                 options.device.id,
                                 fmt::join(reasons, "; ")));
}

}  // namespace

SweepPlan plan_cells(std::vector<CellPlan> cells,
                     const SweepOptions& options,
                     MeasurementSink& sink) {
    SweepPlan plan;
    KnownBinaries binaries(sink);
    for (CellPlan& cell : cells) {
        const std::size_t known = drop_known(cell, options.force, sink, binaries);
        plan.already_measured += known;
        plan.candidates += known + cell.candidates.size();
        const int processes = 1 + options.confirmations;
        cell.unconfirmed = processes > 1 && cell.candidates.empty() &&
                           !sink.decided(cell.problem, processes) &&
                           !sink.unconfirmed(cell.problem, processes).empty();
        plan.unconfirmed += cell.unconfirmed ? 1 : 0;
    }
    plan.cells = std::move(cells);
    plan.compiles = count_compiles(plan, options.cache_dir);
    plan.estimate = estimate(plan, options);
    return plan;
}

SweepPlan plan_sweep(const SweepOptions& options, MeasurementSink& sink) {
    const std::vector<const Family*> families = chosen_families(options);
    std::vector<CellPlan> cells;
    for (const Problem& problem : in_plan_order(options.problems)) {
        cells.push_back(enumerate_candidates(problem, families, options));
    }
    SweepPlan plan = plan_cells(std::move(cells), options, sink);
    if (plan.candidates == 0 && !options.part) {
        throw_no_candidate(plan, options);
    }
    return plan;
}

}  // namespace fdkbench
