#pragma once

#include "results/store.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// One row of table `measurement` with its samples and what was measured. Of the accuracy only
/// what was stored; no compile key.
struct StoredRow {
    std::string family;
    Params params;
    Problem problem;
    LaunchPlan plan;
    std::string binary_hash;
    Measurement measurement;
};

/// Rows of a problem's cell (device and policy as selected) that should be timed in further worker
/// processes, so that the cell's winner rests on `processes` of them: those tied for the win, or
/// such as would beat a winner that is confirmed already. Empty when the winner is.
std::vector<StoredRow> unconfirmed_rows(const Store& store, const Problem& problem, int processes);

/// The newest row of a kernel, known by its code and launch, in a problem's cell (device and policy
/// as selected).
std::optional<StoredRow> kernel_row(const Store& store,
                                    const Problem& problem,
                                    const std::string& binary_hash,
                                    const LaunchPlan& plan);

/// The winners of a device under a policy (see winners()), with their samples.
std::vector<StoredRow> winner_rows(const Store& store,
                                   const std::string& device_key,
                                   const std::string& policy);

struct ServedRow {
    StoredRow row;
    bool wins = true;  ///< its cell; else a table takes it in the winner's place
};

/// The winners, then what a table without rules takes in the place of some: it keeps a matrix to
/// one layout, and the winner may be of the other.
std::vector<ServedRow> served_rows(const Store& store,
                                   const std::string& device_key,
                                   const std::string& policy);

}  // namespace fdkbench
