#include "results/dispatch_table.hpp"
#include "results/format.hpp"
#include "results/summary.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/output.hpp"
#include "src/cli/summary_table.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace fdkbench {

ExitCode run_export(const ExportOptions& options) {
    const Store store = Store::open_read_only(options.db);
    const DispatchTable table = read_table(store, options.device, options.max_nrmse);
    const std::string text = options.format == "header" ? to_header(table)
                             : options.format == "csv"  ? to_csv(table)
                                                        : to_json_text(table);
    write_output(options.output, text);
    fmt::print(stderr, "{}", launch_note(launch_mode_of(table.policy)));
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
