#include "results/status_counts.hpp"

#include "results/rows.hpp"

#include <set>

namespace fdkbench {

std::map<CandidateStatus, int> status_counts(const Store& store,
                                             const DeviceInfo& device,
                                             const MeasuringPolicy& policy,
                                             const std::vector<Problem>& problems) {
    const std::set<Problem> wanted(problems.begin(), problems.end());
    const Rows rows(store.query(
        "SELECT m, n, k, bits, group_size, type, status, count(*) AS candidates"
        " FROM candidates_flat WHERE device_key = ? AND policy = ? GROUP BY 1, 2, 3, 4, 5, 6, 7",
        {device.key, policy.key()}));
    std::map<CandidateStatus, int> counts;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (wanted.count(rows.problem(row)) > 0) {
            counts[rows.status(row)] += static_cast<int>(rows.integer(row, "candidates"));
        }
    }
    return counts;
}

}  // namespace fdkbench
