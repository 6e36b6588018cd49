#include "results/winners.hpp"

#include "results/schema.hpp"
#include "src/core/error.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fdkbench {

namespace {

/// A condition on rows of view `eligible`, and the values of its parameters.
struct Condition {
    void add(const std::string& text, const std::string& value) {
        sql += " AND " + text;
        bind.push_back(value);
    }
    std::string sql = "true";
    std::vector<std::string> bind;
};

void add_matrix(Condition& condition, const Problem& matrix) {
    condition.add("n = CAST(? AS INTEGER)", std::to_string(matrix.shape.n));
    condition.add("k = CAST(? AS INTEGER)", std::to_string(matrix.shape.k));
    condition.add("bits = CAST(? AS INTEGER)", std::to_string(matrix.format.bits));
    condition.add("group_size = CAST(? AS INTEGER)", std::to_string(matrix.format.group_size));
    condition.add("type = ?", std::string(to_string(matrix.type)));
}

Condition condition_of(const std::string& device_key,
                       const std::string& policy,
                       const KernelFilter& filter) {
    Condition condition;
    condition.add("device_key = ?", device_key);
    condition.add("policy = ?", policy);
    if (filter.max_nrmse) {
        condition.add("nrmse <= CAST(? AS REAL)", fmt::format("{}", *filter.max_nrmse));
    }
    if (filter.repeatable) {
        condition.sql += " AND repeatable = 1";
    }
    if (filter.any_m) {
        condition.sql += " AND json_extract(launch, '$.tiling') IS NOT NULL";
    }
    if (filter.without_library) {
        condition.sql +=
            " AND NOT EXISTS (SELECT 1 FROM json_each(launch, '$.steps')"
            " WHERE json_extract(value, '$.kind') = 'matmul')";
    }
    if (filter.layout) {
        condition.add("layout = ?", std::string(to_string(*filter.layout)));
    }
    if (filter.matrix) {
        add_matrix(condition, *filter.matrix);
    }
    if (filter.m) {
        condition.add("m = CAST(? AS INTEGER)", std::to_string(*filter.m));
    }
    return condition;
}

}  // namespace

KernelFilter filter_of(const TableRules& rules) {
    return {.max_nrmse = rules.max_nrmse,
            .repeatable = rules.repeatable || rules.batch_invariant,
            .any_m = rules.limit() > 0,
            .without_library = rules.batch_invariant};
}

Rows winners(const Store& store,
             const std::string& device_key,
             const std::string& policy,
             const KernelFilter& filter) {
    const Condition condition = condition_of(device_key, policy, filter);
    return Rows(store.query(winners_sql(condition.sql), condition.bind));
}

Rows ranked(const Store& store,
            const std::string& device_key,
            const std::string& policy,
            const KernelFilter& filter) {
    const Condition condition = condition_of(device_key, policy, filter);
    return Rows(store.query(ranked_sql(condition.sql), condition.bind));
}

Rows failed(const Store& store, const std::string& device_key, const std::string& policy) {
    return Rows(
        store.query("SELECT * FROM candidates_flat WHERE device_key = ? AND policy = ?"
                    " AND status NOT IN ('correct', 'throttled')",
                    {device_key, policy}));
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
    winner.baseline_us = rows.real(row, "baseline_us");
    winner.floor_pct = rows.real(row, "floor_pct");
    winner.nrmse = rows.real(row, "nrmse");
    winner.repeatable = rows.integer(row, "repeatable") == 1;
    winner.processes = static_cast<int>(rows.integer(row, "processes"));
    winner.tied = static_cast<int>(rows.integer(row, "tied"));
    return winner;
}

std::vector<std::string> policies(const Store& store, const std::string& device_key) {
    const Rows rows(store.query(
        "SELECT policy FROM run JOIN device ON device.id = device_id WHERE device.key = ?"
        " AND EXISTS (SELECT 1 FROM cell JOIN measurement ON cell_id = cell.id"
        " WHERE cell.device_id = run.device_id AND cell.policy = run.policy)"
        " GROUP BY policy ORDER BY max(run.id) DESC",
        {device_key}));
    std::vector<std::string> keys;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        keys.push_back(rows.text(row, "policy"));
    }
    return keys;
}

std::string chosen_policy(const std::vector<std::string>& policies, const std::string& asked) {
    if (asked.empty()) {
        return policies.empty() ? "" : policies.front();
    }
    std::vector<std::string> meant;
    for (const std::string& policy : policies) {
        if (policy == asked) {
            return policy;
        }
        if (policy.find(asked) != std::string::npos) {
            meant.push_back(policy);
        }
    }
    if (meant.size() != 1) {
        throw UsageError(fmt::format("--policy '{}' is {}: give one of {}",
                                     asked,
                                     meant.empty() ? "not there" : "not clear",
                                     fmt::join(meant.empty() ? policies : meant, ", ")));
    }
    return meant.front();
}

DeviceInfo swept_device(const Store& store, const std::string& device_key) {
    const Rows rows(store.query("SELECT facts FROM device WHERE key = ?", {device_key}));
    try {
        return Json::parse(rows.text(0, "facts")).get<DeviceInfo>();
    } catch (const std::exception&) {
        throw UsageError(fmt::format(
            "what the database says of {} was written by another version of fdkbench: sweep again",
            device_key));
    }
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
