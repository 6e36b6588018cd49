#pragma once

#include "tests/tuner/fakes.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// Counts what a sweep tells.
struct Recorder final : SweepListener {
    void candidate_known(const Candidate&) override { ++known; }
    void warning(const std::string& message) override { warnings.push_back(message); }
    void cell_done(std::size_t, const Problem&, const std::optional<Leader>& leader) override {
        leaders.push_back(leader);
    }
    int known = 0;
    std::vector<std::string> warnings;
    std::vector<std::optional<Leader>> leaders;
};

inline SweepOptions without_confirmations(SweepOptions options) {
    options.confirmations = 0;
    return options;
}

/// One sweep after another with the same options, world and sink.
struct Bench {
    SweepOptions options = without_confirmations(fakes::sweep_options({1, 2}, {4}));
    fakes::World world;
    fakes::MemorySink sink;
    Recorder listener;
    std::atomic<bool> stop = false;

    SweepOutcome sweep() {
        std::vector<SweepLane> lanes{{options, world.factory(), sink}};
        return run_sweep(lanes, plan_sweep(options, sink), listener, stop);
    }
    [[nodiscard]] std::size_t rows_with(CandidateStatus status) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            sink.rows, [&](const fakes::Row& row) { return row.measurement.status == status; }));
    }
};

}  // namespace fdkbench
