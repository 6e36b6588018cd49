#include "src/cli/summary_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {
namespace {

constexpr double kFirstChoiceMatters = 1.03;

/// Wider than this (half of it, relative), and a ratio says little.
constexpr double kWideInterval = 0.05;

bool is_wide(const SummaryRow& row) {
    return row.ratio_lo && row.ratio_hi &&
           *row.ratio_hi - *row.ratio_lo > 2 * kWideInterval * row.ratio;
}

std::string interval_text(const SummaryRow& row) {
    if (!row.ratio_lo || !row.ratio_hi) {
        return "one sample";
    }
    return fmt::format("[{:.3f}, {:.3f}]{}", *row.ratio_lo, *row.ratio_hi, is_wide(row) ? "~" : "");
}

/// "3" kernels tie; "1?": in one process, which the next may not repeat.
std::string ties_text(const SummaryRow& row) {
    return fmt::format("{}{}", row.tied, row.processes > 1 ? " " : "?");
}

std::string group_text(const WeightFormat& format) {
    return format.quantised() ? std::to_string(format.group_size) : "-";
}

bool first_choice_is_slower(const SummaryRow& row) {
    return row.baseline_first_us > kFirstChoiceMatters * row.baseline_us;
}

std::string line_of(const SummaryRow& row) {
    const auto& [shape, format, type] = row.problem;
    return fmt::format(
        "{:>5} {:>6} {:>6} {:>4} {:>5} {:>4} {:>10.2f}{} {:>9.2f}  {:>6.3f} {:<15} {:>5} {:>6.0f} "
        "{:>7.1f} {:>6.1f} {:>8.1e}  {} {}\n",
        shape.m,
        shape.n,
        shape.k,
        format.bits,
        group_text(format),
        to_string(type),
        row.baseline_us,
        first_choice_is_slower(row) ? "*" : " ",
        row.time_us,
        row.ratio,
        interval_text(row),
        ties_text(row),
        row.gb_s,
        row.tflop_s,
        row.floor_pct,
        row.nrmse,
        row.family,
        to_string(row.params));
}

std::string notes_on(const std::vector<SummaryRow>& rows) {
    std::string text =
        "ratio: baseline ÷ time, paired, with its 95 % interval; above 1 is faster. tied: kernels "
        "that cannot be told from the fastest.\n";
    if (std::any_of(rows.begin(), rows.end(), is_wide)) {
        text += fmt::format(
            "~ wider than ±{:.0f} %: something else used this device; measure again with "
            "--force.\n",
            100 * kWideInterval);
    }
    if (std::any_of(
            rows.begin(), rows.end(), [](const SummaryRow& row) { return row.processes == 1; })) {
        text += "? timed in one process only; a sweep with --confirm 4 times the best again.\n";
    }
    bool titled = false;
    for (const SummaryRow& row : rows) {
        if (!first_choice_is_slower(row)) {
            continue;
        }
        if (!titled) {
            text +=
                "* the library's first heuristic choice, which frameworks take, is more than "
                "3 % slower than its best:\n";
            titled = true;
        }
        text += fmt::format("  {}: {:.2f} us, best {:.2f} us\n",
                            to_string(row.problem),
                            row.baseline_first_us,
                            row.baseline_us);
    }
    return text;
}

}  // namespace

std::string launch_note(LaunchMode mode) {
    return mode == LaunchMode::kPlain
               ? ""
               : "Dependent launches, which overlap: times and ratios are of a launch within a "
                 "chain, not of one call; the baseline's launches are plain.\n";
}

std::string summary_table(const std::vector<SummaryRow>& rows, LaunchMode mode) {
    if (rows.empty()) {
        return "No cell has a correct kernel yet.\n";
    }
    std::string text = launch_note(mode);
    text += fmt::format(
        "{:>5} {:>6} {:>6} {:>4} {:>5} {:>4} {:>11} {:>9}  {:>6} {:<15} {:<5} {:>6} {:>7} {:>6} "
        "{:>8}  {}\n",
        "m",
        "n",
        "k",
        "bits",
        "group",
        "type",
        "baseline_us",
        "time_us",
        "ratio",
        "[95 %]",
        "tied",
        "GB/s",
        "TFLOP/s",
        "floor%",
        "nrmse",
        "kernel");
    for (const SummaryRow& row : rows) {
        text += line_of(row);
    }
    return text + notes_on(rows);
}

Json summary_json(const std::vector<SummaryRow>& rows, LaunchMode mode) {
    Json cells = Json::array();
    for (const SummaryRow& row : rows) {
        Json cell = row.problem;
        cell["family"] = row.family;
        cell["params"] = row.params;
        cell["time_us"] = row.time_us;
        cell["baseline_us"] = row.baseline_us;
        cell["baseline_first_us"] = row.baseline_first_us;
        cell["ratio"] = row.ratio;
        cell["ratio_lo"] = row.ratio_lo ? Json(*row.ratio_lo) : Json();
        cell["ratio_hi"] = row.ratio_hi ? Json(*row.ratio_hi) : Json();
        cell["tied"] = row.tied;
        cell["processes"] = row.processes;
        cell["gb_s"] = row.gb_s;
        cell["tflop_s"] = row.tflop_s;
        cell["floor_pct"] = row.floor_pct;
        cell["nrmse"] = row.nrmse;
        cells.push_back(cell);
    }
    return {{"event", "summary"}, {"launch_mode", to_string(mode)}, {"cells", cells}};
}

}  // namespace fdkbench
