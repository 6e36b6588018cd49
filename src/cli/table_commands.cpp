#include "results/dispatch_table.hpp"
#include "results/format.hpp"
#include "results/summary.hpp"
#include "results/table_bundle.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/output.hpp"
#include "src/cli/summary_table.hpp"

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

/// Of entries that older versions measured.
std::string tiling_note(const DispatchTable& table) {
    const auto count = std::ranges::count_if(
        table.entries, [](const TableEntry& entry) { return !entry.plan.tiling; });
    return count == 0 ? ""
                      : fmt::format(
                            "{} of {} entries are for the m that they were measured for, and "
                            "no other: run the same sweep again, which measures nothing "
                            "where kernels have not changed, and export again\n",
                            count,
                            table.entries.size());
}

}  // namespace

ExitCode run_export(const ExportOptions& options) {
    const Store store = Store::open_read_only(options.db);
    const DispatchTable table = read_table(store, options.device, options.max_nrmse);
    if (options.bundle.empty()) {
        write_table(options, table);
    } else {
        write_bundle(options, table);
    }
    fmt::print(stderr, "{}", launch_note(launch_mode_of(table.policy)));
    fmt::print(stderr, "{}", tiling_note(table));
    for (const std::string& cost : table.layout_costs) {
        fmt::print(stderr, "{}\n", cost);
    }
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
