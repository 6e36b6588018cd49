#include "results/dispatch_table.hpp"
#include "results/extrapolation.hpp"
#include "results/format.hpp"
#include "results/summary.hpp"
#include "results/table_bundle.hpp"
#include "results/table_cost.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/extrapolator.hpp"
#include "src/cli/output.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/summary_table.hpp"
#include "src/cli/table_rules.hpp"
#include "src/core/counted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

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

/// The formats and types of the table, as problems without extents.
std::set<Problem> formats_of(const DispatchTable& table) {
    std::set<Problem> formats;
    for (const TableEntry& entry : table.entries) {
        formats.insert({{}, entry.problem.format, entry.problem.type});
    }
    return formats;
}

/// Adds what `--extrapolate` names; returns what to say of it.
std::string extrapolate(const Store& store, const ExportOptions& options, DispatchTable& table) {
    const Extrapolator extrapolator(store, table, options.rules);
    std::string text;
    std::size_t added = 0;
    for (const Shape& shape : options.extrapolate) {
        for (Problem matrix : formats_of(table)) {
            matrix.shape = shape;
            if (has_matrix(table, matrix)) {
                text += fmt::format("{}: swept, so not extrapolated\n", matrix_text(matrix));
                continue;
            }
            const std::vector<TableEntry> entries = extrapolator.entries(matrix);
            if (entries.empty()) {
                text += fmt::format("{}: left out: no kernel that was measured can do it\n",
                                    matrix_text(matrix));
            }
            add_entries(table, entries);
            added += entries.size();
        }
    }
    return text + fmt::format("{} extrapolated; {}\n",
                              counted(added, "entry", "entries"),
                              extrapolator.held_out_text());
}

}  // namespace

ExitCode run_export(const ExportOptions& options) {
    if (!options.extrapolate.empty() && !options.bundle.empty()) {
        throw UsageError(
            "--extrapolate is not possible with --bundle, whose kernels a device has checked: "
            "leave one of both out, or sweep these matrices");
    }
    const Store store = Store::open_read_only(options.db);
    DispatchTable table = read_table(store, options.device, options.rules, options.policy);
    table.rules = typed_rules(options.rules);
    const DispatchTable best = read_table(store, options.device, {}, options.policy);
    if (table.entries.empty() && !best.entries.empty()) {
        throw UsageError(fmt::format("no kernel in {} keeps to {}: {}ask for less",
                                     options.db,
                                     typed_rules(options.rules),
                                     tiling_hint(best)));
    }
    const std::string extrapolated =
        options.extrapolate.empty() ? "" : extrapolate(store, options, table);
    if (options.bundle.empty()) {
        write_table(options, table);
    } else {
        write_bundle(options, table);
    }
    fmt::print(stderr, "{}", policy_note(store, table.device_key, table.policy, options.policy));
    fmt::print(stderr, "{}", launch_note(launch_mode_of(table.policy)));
    fmt::print(stderr, "{}", tiling_note(best));
    fmt::print(stderr, "{}", extrapolated);
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
