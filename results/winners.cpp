#include "results/winners.hpp"

#include "results/schema.hpp"
#include "src/core/error.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>

namespace fdkbench {

Rows winners(const Store& store,
             const std::string& device_key,
             const std::string& policy,
             std::optional<double> max_nrmse,
             std::optional<Layout> layout) {
    std::string condition = "device_key = ? AND policy = ?";
    std::vector<std::string> bind{device_key, policy};
    if (max_nrmse) {
        condition += " AND nrmse <= CAST(? AS REAL)";
        bind.push_back(fmt::format("{}", *max_nrmse));
    }
    if (layout) {
        condition += " AND layout = ?";
        bind.emplace_back(to_string(*layout));
    }
    return Rows(store.query(winners_sql(condition), bind));
}

Winner winner(const Rows& rows, std::size_t row) {
    Winner winner;
    winner.problem = rows.problem(row);
    winner.family = rows.text(row, "family");
    winner.params = rows.params(row);
    winner.time_us = rows.real(row, "time_us");
    winner.ratio = rows.real(row, "ratio");
    winner.ratio_lo = rows.number(row, "ratio_lo");
    winner.ratio_hi = rows.number(row, "ratio_hi");
    winner.nrmse = rows.real(row, "nrmse");
    winner.processes = static_cast<int>(rows.integer(row, "processes"));
    winner.tied = static_cast<int>(rows.integer(row, "tied"));
    return winner;
}

std::string newest_policy(const Store& store, const std::string& device_key) {
    const Rows rows(store.query(
        "SELECT policy FROM run JOIN device ON device.id = device_id WHERE device.key = ?"
        " AND EXISTS (SELECT 1 FROM cell JOIN measurement ON cell_id = cell.id"
        " WHERE cell.device_id = run.device_id AND cell.policy = run.policy)"
        " ORDER BY run.id DESC LIMIT 1",
        {device_key}));
    return rows.size() == 0 ? "" : rows.text(0, "policy");
}

MeasuringPolicy measuring_policy(const Store& store, const std::string& policy) {
    const Rows rows(store.query(
        "SELECT policy_json FROM run WHERE policy = ? ORDER BY id DESC LIMIT 1", {policy}));
    std::optional<MeasuringPolicy> parsed;
    try {
        if (rows.size() > 0) {
            parsed = Json::parse(rows.text(0, "policy_json")).get<MeasuringPolicy>();
        }
    } catch (const std::exception&) {
        parsed.reset();  // written by another version
    }
    if (!parsed || parsed->key() != policy) {
        throw UsageError(fmt::format(
            "the winners were measured under the policy {}, which this fdkbench does not follow: "
            "sweep again",
            policy));
    }
    return *parsed;
}

}  // namespace fdkbench
