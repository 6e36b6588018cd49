#include "results/summary.hpp"

#include "results/rows.hpp"
#include "src/core/json.hpp"

#include <map>

namespace fdkbench {

std::vector<SummaryRow> summary(const Store& store,
                                const DeviceInfo& device,
                                const MeasuringPolicy& policy,
                                const std::vector<Problem>& problems) {
    const Rows rows(store.query("SELECT * FROM best WHERE device_key = ? AND policy = ?",
                                {device.key, policy.key()}));
    std::map<Problem, SummaryRow> by_problem;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        SummaryRow row;
        row.problem = rows.problem(i);
        row.family = rows.text(i, "family");
        row.params = Json::parse(rows.text(i, "params")).get<Params>();
        row.time_us = rows.number(i, "time_us");
        row.baseline_us = rows.number(i, "baseline_us");
        row.baseline_first_us = rows.number(i, "baseline_first_us");
        row.ratio = rows.number(i, "ratio");
        row.ratio_lo = rows.number(i, "ratio_lo");
        row.ratio_hi = rows.number(i, "ratio_hi");
        row.gb_s = rows.number(i, "gb_s");
        row.tflop_s = rows.number(i, "tflop_s");
        row.floor_pct = rows.number(i, "floor_pct");
        row.nrmse = rows.number(i, "nrmse");
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
        " ratio_hi, floor_pct, nrmse, family, params FROM best");
}

}  // namespace fdkbench
