#include "results/winners.hpp"

#include "results/schema.hpp"

#include <fmt/format.h>

namespace fdkbench {

Rows winners(const Store& store,
             const std::string& device_key,
             const std::string& policy,
             std::optional<double> max_nrmse) {
    std::string condition = "device_key = ? AND policy = ?";
    std::vector<std::string> bind{device_key, policy};
    if (max_nrmse) {
        condition += " AND nrmse <= CAST(? AS REAL)";
        bind.push_back(fmt::format("{}", *max_nrmse));
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

}  // namespace fdkbench
