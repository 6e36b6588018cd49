#include "results/explanation.hpp"
#include "results/extrapolation.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/explanation_text.hpp"
#include "src/cli/extrapolator.hpp"
#include "src/cli/output.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/summary_table.hpp"
#include "src/cli/table_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fdkbench {
namespace {

constexpr std::size_t kNearest = 3;

/// A word as a shell takes it.
std::string quoted(const std::string& word) {
    const bool is_plain = std::ranges::all_of(word, [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view("_-./=:,+").find(c) != std::string::npos;
    });
    if (is_plain && !word.empty()) {
        return word;
    }
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

/// What adds the problem to the database.
std::string sweep_command(const ExplainOptions& options, const DispatchTable& table) {
    const auto& [shape, format, type] = options.problem;
    std::string command =
        fmt::format("fdkbench sweep --shape {} -b {}", to_string(shape), format.bits);
    if (format.quantised()) {
        command += fmt::format(" -g {}", format.group_size);
    }
    if (type != ElementType::kBf16) {
        command += fmt::format(" -t {}", to_string(type));
    }
    if (table.device_backend == "host") {
        command += " --device host";
    }
    return command + " --db " + quoted(options.db);
}

/// Why no entry serves the problem; `best` is the table without rules.
UsageError unserved(const ExplainOptions& options,
                    const DispatchTable& table,
                    const DispatchTable& best) {
    std::vector<std::string> own_m;
    for (const TableEntry& entry : best.entries) {
        if (matrix_of(entry.problem) == matrix_of(options.problem)) {
            own_m.push_back(std::to_string(entry.problem.shape.m));
        }
    }
    const bool is_known = !own_m.empty();
    if (is_known && entry_for(best, options.problem) != nullptr) {
        return UsageError(fmt::format("no kernel of {} in {} keeps to {}: ask for less, or type {}",
                                      matrix_text(options.problem),
                                      options.db,
                                      typed_rules(options.rules),
                                      sweep_command(options, table)));
    }
    if (is_known) {
        return UsageError(fmt::format(
            "the table has no entry for {}: those of its matrix are for m = {} only, as an older "
            "version measured them: run the same sweep again, or type {}",
            to_string(options.problem),
            fmt::join(own_m, ", "),
            sweep_command(options, table)));
    }
    std::vector<std::string> nearest;
    for (const Problem& matrix : nearest_matrices(best, options.problem, kNearest)) {
        nearest.push_back(matrix_text(matrix));
    }
    return UsageError(fmt::format("{} has no kernel of {} on {}{}{}: to add it type {}",
                                  options.db,
                                  matrix_text(options.problem),
                                  table.device_name,
                                  nearest.empty() ? "" : "; the nearest it has: ",
                                  fmt::join(nearest, ", "),
                                  sweep_command(options, table)));
}

/// What a cost model has for a problem of a matrix that the database lacks; "" where it has
/// nothing.
std::string extrapolation(const Store& store, const ExplainOptions& options, DispatchTable table) {
    const Extrapolator extrapolator(store, table, options.rules);
    add_entries(table, extrapolator.entries(options.problem));
    const TableEntry* entry = entry_for(table, options.problem);
    return entry == nullptr ? ""
                            : extrapolation_text(options.problem,
                                                 *entry,
                                                 extrapolator.model().evidence(*entry),
                                                 table,
                                                 typed_rules(options.rules)) +
                                  line("in general", extrapolator.held_out_text()) +
                                  line("to measure", sweep_command(options, table));
}

}  // namespace

ExitCode run_explain(const ExplainOptions& options) {
    const Store store = Store::open_read_only(options.db);
    const DispatchTable table = read_table(store, options.device, options.rules, options.policy);
    const TableEntry* entry = entry_for(table, options.problem);
    if (entry == nullptr) {
        const DispatchTable best = read_table(store, options.device, {}, options.policy);
        const std::string text =
            has_matrix(best, options.problem) ? "" : extrapolation(store, options, table);
        if (text.empty()) {
            throw unserved(options, table, best);
        }
        write_output("", text + launch_note(launch_mode_of(table.policy)));
        return ExitCode::kDone;
    }
    fmt::print(stderr, "{}", policy_note(store, table.device_key, table.policy, options.policy));
    const Explanation why = explain(store, table, options.rules, options.problem, *entry);
    write_output("",
                 explanation_text(why, table, typed_rules(options.rules)) +
                     launch_note(launch_mode_of(table.policy)));
    return ExitCode::kDone;
}

}  // namespace fdkbench
