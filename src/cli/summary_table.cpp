#include "src/cli/summary_table.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

constexpr double kFirstChoiceMatters = 1.03;

std::string group_text(const WeightFormat& format) {
    return format.quantised() ? std::to_string(format.group_size) : "-";
}

}  // namespace

std::string summary_table(const std::vector<SummaryRow>& rows) {
    if (rows.empty())
        return "No cell has a correct kernel yet.\n";
    std::string text = fmt::format(
        "{:>5} {:>6} {:>6} {:>4} {:>5} {:>4} {:>11} {:>9}  {:>6} {:<14} {:>6} {:>7} {:>6} {:>8}  "
        "{}\n",
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
        "GB/s",
        "TFLOP/s",
        "floor%",
        "nrmse",
        "kernel");
    bool marked = false;
    for (const SummaryRow& row : rows) {
        const bool first_differs = row.baseline_first_us > kFirstChoiceMatters * row.baseline_us;
        marked = marked || first_differs;
        const Shape& shape = row.problem.shape;
        text += fmt::format(
            "{:>5} {:>6} {:>6} {:>4} {:>5} {:>4} {:>10.2f}{} {:>9.2f}  {:>6.3f} {:<14} {:>6.0f} "
            "{:>7.1f} {:>6.1f} {:>8.1e}  {} {}\n",
            shape.m,
            shape.n,
            shape.k,
            row.problem.format.bits,
            group_text(row.problem.format),
            to_string(row.problem.type),
            row.baseline_us,
            first_differs ? "*" : " ",
            row.time_us,
            row.ratio,
            fmt::format("[{:.3f}, {:.3f}]", row.ratio_lo, row.ratio_hi),
            row.gb_s,
            row.tflop_s,
            row.floor_pct,
            row.nrmse,
            row.family,
            to_string(row.params));
    }
    text += "ratio: baseline ÷ time, paired, with its 95 % interval; above 1 is faster.\n";
    if (!marked)
        return text;
    text +=
        "* the library's first heuristic choice, which frameworks take, is more than 3 % slower:\n";
    for (const SummaryRow& row : rows) {
        if (row.baseline_first_us <= kFirstChoiceMatters * row.baseline_us)
            continue;
        text += fmt::format("  {}: {:.2f} us, best {:.2f} us\n",
                            to_string(row.problem),
                            row.baseline_first_us,
                            row.baseline_us);
    }
    return text;
}

Json summary_json(const std::vector<SummaryRow>& rows) {
    Json cells = Json::array();
    for (const SummaryRow& row : rows) {
        Json cell = row.problem;
        cell["family"] = row.family;
        cell["params"] = row.params;
        cell["time_us"] = row.time_us;
        cell["baseline_us"] = row.baseline_us;
        cell["baseline_first_us"] = row.baseline_first_us;
        cell["ratio"] = row.ratio;
        cell["ratio_lo"] = row.ratio_lo;
        cell["ratio_hi"] = row.ratio_hi;
        cell["gb_s"] = row.gb_s;
        cell["tflop_s"] = row.tflop_s;
        cell["floor_pct"] = row.floor_pct;
        cell["nrmse"] = row.nrmse;
        cells.push_back(cell);
    }
    return {{"event", "summary"}, {"cells", cells}};
}

}  // namespace fdkbench
