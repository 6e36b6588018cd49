#include "results/stored_rows.hpp"

#include "results/dispatch_table.hpp"
#include "results/schema.hpp"
#include "results/winners.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fdkbench {

namespace {

/// So many of those that tie, in the order in which they would win, are worth confirming.
constexpr std::int64_t kMostFinalists = 4;

/// What a later row must be better by to make a confirmed winner doubtful.
constexpr double kLeastDoubt = 0.01;

std::optional<Accuracy> accuracy(const Rows& rows, std::size_t row, const std::string& suffix) {
    const auto rmse = rows.number(row, "rmse" + suffix);
    const auto nrmse = rows.number(row, "nrmse" + suffix);
    return rmse && nrmse ? std::optional(Accuracy{*rmse, *nrmse}) : std::nullopt;
}

/// From a row of view candidates_flat.
StoredRow stored_row(const Store& store, std::int64_t measurement_id) {
    const Rows rows(
        store.query("SELECT * FROM candidates_flat"
                    " WHERE measurement_id = CAST(? AS INTEGER)",
                    {std::to_string(measurement_id)}));
    StoredRow stored;
    stored.family = rows.text(0, "family");
    stored.params = rows.params(0);
    stored.problem = rows.problem(0);
    stored.plan = rows.plan(0);
    stored.binary_hash = rows.text(0, "binary_hash");
    Measurement& measurement = stored.measurement;
    measurement.status = rows.status(0);
    measurement.message = rows.text(0, "message");
    measurement.accuracy = accuracy(rows, 0, "");
    measurement.accuracy_original = accuracy(rows, 0, "_original");
    if (const auto repeatable = rows.number(0, "repeatable")) {
        measurement.repeatable = *repeatable != 0;
    }
    if (rows.number(0, "registers")) {
        measurement.resources = {static_cast<int>(rows.integer(0, "registers")),
                                 rows.integer(0, "shared_bytes"),
                                 rows.integer(0, "local_bytes")};
    }
    measurement.time_us = rows.number(0, "time_us");
    measurement.ratio = rows.number(0, "ratio");
    measurement.ratio_lo = rows.number(0, "ratio_lo");
    measurement.ratio_hi = rows.number(0, "ratio_hi");
    measurement.baseline_us = rows.number(0, "baseline_us");
    measurement.baseline_first_us = rows.number(0, "baseline_first_us");
    measurement.gb_s = rows.number(0, "gb_s");
    measurement.tflop_s = rows.number(0, "tflop_s");
    measurement.floor_us = rows.number(0, "floor_us");
    measurement.floor_pct = rows.number(0, "floor_pct");
    measurement.power_w = rows.number(0, "power_w");
    measurement.temperature_c = rows.number(0, "temperature_c");
    measurement.energy_uj = rows.number(0, "energy_uj");
    measurement.discarded = static_cast<int>(rows.integer(0, "discarded"));
    measurement.samples = samples_from(
        Rows(store.query("SELECT * FROM sample WHERE measurement_id = CAST(? AS INTEGER)"
                         " ORDER BY block",
                         {std::to_string(measurement_id)})));
    return stored;
}

}  // namespace

std::vector<StoredRow> unconfirmed_rows(const Store& store, const Problem& problem, int processes) {
    const auto cell = store.cell_id(problem);
    if (!cell) {
        return {};
    }
    const std::string cell_id = std::to_string(*cell);
    const std::string in_cell = "cell_id = CAST(?1 AS INTEGER)";
    const Rows tied(store.query(tied_sql(in_cell) + " ORDER BY place", {cell_id}));
    std::vector<StoredRow> found;
    if (tied.size() == 0) {
        return found;
    }
    if (tied.integer(0, "processes") < processes) {
        for (std::size_t row = 0; row < tied.size(); ++row) {
            const bool leads = tied.number(row, "ratio") == tied.number(row, "leader_ratio");
            if (tied.integer(row, "processes") < processes &&
                (tied.integer(row, "place") <= kMostFinalists || leads)) {
                found.push_back(stored_row(store, tied.integer(row, "measurement_id")));
            }
        }
        return found;
    }
    double margin = kLeastDoubt;
    if (tied.integer(0, "stays") != 0) {
        margin = std::max(margin, tied.number(0, "margin").value_or(0));
    }
    const Rows better(store.query(
        fmt::format("SELECT measurement_id FROM eligible WHERE {} AND processes = 1"
                    " AND samples >= 6 AND ratio > CAST(?2 AS REAL) ORDER BY ratio DESC LIMIT {}",
                    in_cell,
                    kMostFinalists),
        {cell_id, fmt::format("{}", tied.real(0, "ratio") * (1 + margin))}));
    for (std::size_t row = 0; row < better.size(); ++row) {
        found.push_back(stored_row(store, better.integer(row, "measurement_id")));
    }
    return found;
}

std::optional<StoredRow> kernel_row(const Store& store,
                                    const Problem& problem,
                                    const std::string& binary_hash,
                                    const LaunchPlan& plan) {
    const auto cell = store.cell_id(problem);
    const Rows rows(
        store.query("SELECT measurement_id FROM candidates_flat"
                    " WHERE cell_id = CAST(? AS INTEGER) AND binary_hash = ?"
                    " ORDER BY measured_at DESC, measurement_id DESC",
                    {std::to_string(cell.value_or(-1)), binary_hash}));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        StoredRow found = stored_row(store, rows.integer(row, "measurement_id"));
        if (found.plan == plan) {
            return found;
        }
    }
    return std::nullopt;
}

std::vector<StoredRow> winner_rows(const Store& store,
                                   const std::string& device_key,
                                   const std::string& policy) {
    const Rows rows = winners(store, device_key, policy);
    std::vector<StoredRow> found;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        found.push_back(stored_row(store, rows.integer(row, "measurement_id")));
    }
    return found;
}

std::vector<ServedRow> served_rows(const Store& store,
                                   const std::string& device_key,
                                   const std::string& policy) {
    const Rows best = winners(store, device_key, policy);
    std::vector<ServedRow> served;
    std::set<std::int64_t> known;
    for (std::size_t row = 0; row < best.size(); ++row) {
        const std::int64_t id = best.integer(row, "measurement_id");
        known.insert(id);
        served.push_back({stored_row(store, id), true});
    }
    for (const TableEntry& taken : read_table(store, device_key, {}, policy).entries) {
        if (known.insert(taken.measurement_id).second) {
            served.push_back({stored_row(store, taken.measurement_id), false});
        }
    }
    return served;
}

}  // namespace fdkbench
