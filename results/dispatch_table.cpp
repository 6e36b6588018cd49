#include "results/dispatch_table.hpp"

#include "results/format.hpp"
#include "results/intervals.hpp"
#include "results/kernel_limit.hpp"
#include "results/layout_choice.hpp"
#include "results/rows.hpp"
#include "src/core/error.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fdkbench {

namespace {

/// Devices with measurements that `device` may mean.
Rows matching_devices(const Store& store, const std::string& device) {
    return Rows(
        store.query("SELECT id, key, name, backend, arch, facts FROM device"
                    " WHERE (?1 IN ('', key, name) OR EXISTS (SELECT 1 FROM run"
                    " WHERE device_id = device.id AND ?1 IN (opened_as, uuid)))"
                    " AND EXISTS (SELECT 1 FROM cell WHERE device_id = device.id) ORDER BY key",
                    {device}));
}

std::string listed(const Rows& devices) {
    std::string text;
    for (std::size_t row = 0; row < devices.size(); ++row) {
        text += fmt::format("{}\"{}\"", row == 0 ? "" : ", ", devices.text(row, "key"));
    }
    return text;
}

/// The one device that `device` means; throws UsageError when there is none or more than one.
Rows resolve_device(const Store& store, const std::string& device) {
    Rows found = matching_devices(store, device);
    if (found.size() == 1) {
        return found;
    }
    if (found.size() > 1) {
        throw UsageError(fmt::format(
            "the database holds several devices: give one with --device: {}", listed(found)));
    }
    const Rows all = matching_devices(store, "");
    if (all.size() == 0) {
        throw UsageError("the database holds no measurements yet: run fdkbench sweep first");
    }
    throw UsageError(fmt::format(
        "the database holds no measurements of the device \"{}\": give one of these with "
        "--device: {}",
        device,
        listed(all)));
}

/// Of what an fdkbench of whatever version stored of a device.
std::map<std::string, Json> figures_of(const std::string& facts) {
    const Json known = Json::parse(facts, nullptr, false);
    std::map<std::string, Json> figures;
    for (const char* key : {"units", "cache_bytes", "memory_gb_s"}) {
        const auto found = known.find(key);
        if (found != known.end() && found->is_number() && *found > 0) {
            figures[key] = *found;
        }
    }
    return figures;
}

/// What is left of the best kernels of a matrix when there may be few.
std::vector<TableEntry> limited(const Store& store,
                                const DispatchTable& table,
                                const TableRules& rules,
                                const LayoutWinners& best) {
    KernelFilter filter = filter_of(rules);
    filter.layout = best.front().layout;
    filter.matrix = best.front().problem;
    const Rows rows = ranked(store, table.device_key, table.policy, filter);
    return few_kernels(best, table_entries(rows), rules.limit(), rules.weights);
}

template <typename Number>
Json number_or_null(const std::optional<Number>& number) {
    return number ? Json(*number) : Json(nullptr);
}

Json entry_json(const TableEntry& entry) {
    Json json = entry.problem;
    json["first_m"] = entry.first_m;
    json["last_m"] = number_or_null(entry.last_m);
    json["family"] = entry.family;
    json["params"] = entry.params;
    json["launch"] = entry.plan;
    json["binary_hash"] = entry.binary_hash;
    json["layout"] = to_string(entry.layout);
    json["launch_mode"] = to_string(entry.launch_mode);
    json["time_us"] = entry.time_us;
    json["ratio"] = entry.ratio;
    json["ratio_lo"] = number_or_null(entry.ratio_lo);
    json["ratio_hi"] = number_or_null(entry.ratio_hi);
    json["nrmse"] = entry.nrmse;
    json["measured_at"] = entry.measured_at;
    json["driver"] = entry.driver;
    json["compiler"] = entry.compiler;
    json["commit"] = entry.commit;
    json["extrapolated"] = entry.extrapolated;
    return json;
}

}  // namespace

DispatchTable read_table(const Store& store,
                         const std::string& device,
                         const TableRules& rules,
                         const std::string& policy) {
    const Rows found = resolve_device(store, device);
    DispatchTable table;
    table.device_key = found.text(0, "key");
    table.device_name = found.text(0, "name");
    table.device_backend = found.text(0, "backend");
    table.device_arch = found.text(0, "arch");
    table.device_figures = figures_of(found.text(0, "facts"));

    table.policy = chosen_policy(policies(store, table.device_key), policy);

    for (const auto& [matrix, layouts] :
         winners_by_matrix(store, table.device_key, table.policy, filter_of(rules))) {
        LayoutChoice choice = choose_layout(layouts);
        if (rules.limit() > 0) {
            choice.entries = limited(store, table, rules, choice.entries);
            set_intervals(choice.entries);
        }
        table.entries.insert(table.entries.end(), choice.entries.begin(), choice.entries.end());
        table.layout_costs.insert(
            table.layout_costs.end(), choice.costs.begin(), choice.costs.end());
    }
    std::int64_t newest_run = 0;
    for (const TableEntry& added : table.entries) {
        table.date = std::max(table.date, added.measured_at);
        if (added.run_id > newest_run) {
            newest_run = added.run_id;
            table.driver = added.driver;
            table.compiler = added.compiler;
            table.commit = added.commit;
        }
    }
    return table;
}

const TableEntry* entry_for(const DispatchTable& table, const Problem& problem) {
    const auto found = std::ranges::find_if(table.entries, [&](const TableEntry& entry) {
        return entry.serves(problem.shape.m) && matrix_of(entry.problem) == matrix_of(problem);
    });
    return found == table.entries.end() ? nullptr : &*found;
}

bool has_matrix(const DispatchTable& table, const Problem& problem) {
    return std::ranges::any_of(table.entries, [&](const TableEntry& entry) {
        return matrix_of(entry.problem) == matrix_of(problem);
    });
}

std::string to_json_text(const DispatchTable& table) {
    Json json;
    json["schema"] = "fdkbench-table";
    json["schema_version"] = DispatchTable::kSchemaVersion;
    json["device"] = {{"key", table.device_key},
                      {"name", table.device_name},
                      {"backend", table.device_backend},
                      {"arch", table.device_arch}};
    json["device"].update(Json(table.device_figures));
    json["driver"] = table.driver;
    json["compiler"] = table.compiler;
    json["commit"] = table.commit;
    json["date"] = table.date;
    json["policy"] = table.policy;
    json["rules"] = table.rules;
    json["entries"] = Json::array();
    for (const TableEntry& entry : table.entries) {
        json["entries"].push_back(entry_json(entry));
    }
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_csv(const DispatchTable& table) {
    QueryResult result;
    const Json columns = entry_json(TableEntry{});
    for (const auto& item : columns.items()) {
        result.columns.push_back(item.key());
    }
    for (const TableEntry& entry : table.entries) {
        auto& row = result.rows.emplace_back();
        for (const Json& value : entry_json(entry)) {
            if (value.is_null()) {
                row.emplace_back();
            } else {
                row.push_back({value.is_string() ? value.get<std::string>() : value.dump(), false});
            }
        }
    }
    return to_csv(result);
}

}  // namespace fdkbench
