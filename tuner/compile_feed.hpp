#pragma once

#include "tuner/sweep.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fdkbench {

/// What a compile process is asked for a candidate.
protocol::CompileRequest compile_request(const SweepOptions& options, const Candidate& candidate);

/// Keeps the compile pool fed and what it gives back: each distinct compile key is compiled once a
/// sweep. The pool starts with the first request.
class CompileFeed {
  public:
    CompileFeed(const SweepOptions& options,
                WorkerFactory& factory,
                MeasurementSink& sink,
                SweepListener& listener)
        : options_(options), factory_(factory), sink_(sink), listener_(listener) {}

    /// Asks for all candidates of a cell, which must outlive the feed.
    void request(const CellPlan& cell);
    /// Takes everything that is finished; when nothing is, waits for the first until the timeout.
    void collect(std::chrono::milliseconds timeout);
    /// What became of a compilation; null while it is not finished.
    [[nodiscard]] const protocol::CompileReply* find(const std::string& compile_key) const;

  private:
    void take(const CompileDone& done);

    const SweepOptions& options_;
    WorkerFactory& factory_;
    MeasurementSink& sink_;
    SweepListener& listener_;
    std::unique_ptr<CompilePool> pool_;
    std::vector<const Candidate*> tickets_;  ///< the first candidate that needs each compilation
    std::map<std::string, std::optional<protocol::CompileReply>> replies_;  ///< by compile key
};

}  // namespace fdkbench
