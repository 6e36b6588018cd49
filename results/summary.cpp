#include "results/summary.hpp"

#include <map>

namespace fdkbench {

std::vector<SummaryRow> summary(const Store& store,
                                const DeviceInfo& device,
                                const MeasuringPolicy& policy,
                                const std::vector<Problem>& problems) {
    const Rows rows = winners(store, device.key, policy.key());
    std::map<Problem, SummaryRow> by_problem;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        SummaryRow row;
        static_cast<Winner&>(row) = winner(rows, i);
        row.baseline_first_us = rows.real(i, "baseline_first_us");
        row.gb_s = rows.real(i, "gb_s");
        row.tflop_s = rows.real(i, "tflop_s");
        by_problem.emplace(row.problem, row);
    }
    std::vector<SummaryRow> ordered;
    for (const Problem& problem : problems) {
        if (const auto found = by_problem.find(problem); found != by_problem.end()) {
            ordered.push_back(found->second);
        }
    }
    return ordered;
}

QueryResult best_overview(const Store& store) {
    return store.query(
        "SELECT device, m, n, k, bits, group_size, type, baseline_us, time_us, ratio, ratio_lo,"
        " ratio_hi, floor_pct, nrmse, family, params, policy FROM best");
}

}  // namespace fdkbench
