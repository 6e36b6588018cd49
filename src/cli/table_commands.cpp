#include "results/dispatch_table.hpp"
#include "results/format.hpp"
#include "results/summary.hpp"
#include "results/table_bundle.hpp"
#include "results/table_cost.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/output.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/summary_table.hpp"
#include "src/cli/table_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace fdkbench {

namespace {

void write_table(const ExportOptions& options, const DispatchTable& table) {
    const std::string text = options.format == "header" ? to_header(table)
                             : options.format == "csv"  ? to_csv(table)
                                                        : to_json_text(table);
    write_output(options.output, text);
}

void write_bundle(const ExportOptions& options, const DispatchTable& table) {
    const Bundle bundle = bundle_of(table, options.cache_dir);
    const std::string bytes = to_bytes(bundle);
    write_output(options.bundle, bytes);
    fmt::print(stderr,
               "{}: {} entries, {} kernels, {:.2f} MiB\n",
               options.bundle,
               table.entries.size(),
               bundle.binaries.size(),
               static_cast<double>(bytes.size()) / 0x1p20);
}

std::ptrdiff_t entries_without_tiling(const DispatchTable& table) {
    return std::ranges::count_if(table.entries,
                                 [](const TableEntry& entry) { return !entry.plan.tiling; });
}

/// Of entries that older versions measured.
std::string tiling_note(const DispatchTable& table) {
    const auto count = entries_without_tiling(table);
    return count == 0 ? ""
                      : fmt::format(
                            "{} of {} entries are for the m that they were measured for, and "
                            "no other: run the same sweep again, which measures nothing "
                            "where kernels have not changed, and export again\n",
                            count,
                            table.entries.size());
}

/// The same, where nothing is left of the table.
std::string tiling_hint(const DispatchTable& table) {
    return entries_without_tiling(table) == 0
               ? ""
               : "an older version measured kernels for their own m only, run the same sweep "
                 "again, or ";
}

/// What each rule costs, over those before it; `best` is the table without rules.
std::string rule_costs(const Store& store, const ExportOptions& options, DispatchTable best) {
    std::string text;
    for (const RuleStage& stage : stages_of(options.rules)) {
        DispatchTable table = read_table(store, options.device, stage.rules, options.policy);
        text += cost_text(
            stage.typed, table_costs(table, best, stage.rules.weights), stage.rules.limit() > 0);
        best = std::move(table);
    }
    return text;
}

}  // namespace

ExitCode run_export(const ExportOptions& options) {
    const Store store = Store::open_read_only(options.db);
    const DispatchTable table = read_table(store, options.device, options.rules, options.policy);
    const DispatchTable best = read_table(store, options.device, {}, options.policy);
    if (table.entries.empty() && !best.entries.empty()) {
        throw UsageError(fmt::format("no kernel in {} keeps to {}: {}ask for less",
                                     options.db,
                                     typed_rules(options.rules),
                                     tiling_hint(best)));
    }
    if (options.bundle.empty()) {
        write_table(options, table);
    } else {
        write_bundle(options, table);
    }
    fmt::print(stderr, "{}", policy_note(store, table.device_key, table.policy, options.policy));
    fmt::print(stderr, "{}", launch_note(launch_mode_of(table.policy)));
    fmt::print(stderr, "{}", tiling_note(best));
    for (const std::string& cost : table.layout_costs) {
        fmt::print(stderr, "{}\n", cost);
    }
    fmt::print(stderr, "{}", rule_costs(store, options, best));
    return ExitCode::kDone;
}

ExitCode run_query(const QueryOptions& options) {
    const Store store = Store::open_read_only(options.db);
    const QueryResult result =
        options.sql.empty() ? best_overview(store) : store.query(options.sql);
    const std::string text = options.format == "csv"    ? to_csv(result)
                             : options.format == "json" ? to_json_text(result)
                                                        : to_table(result);
    write_output("", text);
    return ExitCode::kDone;
}

}  // namespace fdkbench
