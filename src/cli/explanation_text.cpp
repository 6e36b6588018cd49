#include "src/cli/explanation_text.hpp"

#include "results/intervals.hpp"
#include "src/core/counted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fdkbench {
namespace {

constexpr std::size_t kMostTied = 4;

std::string library_of(const DispatchTable& table) {
    return table.device_backend == "host" ? "oneDNN" : "cuBLAS";
}

std::string kernel_text(const TableEntry& entry) {
    return fmt::format("{} {}", entry.family, to_string(entry.params));
}

/// "m = 9 to 40".
std::string interval_text(const TableEntry& entry) {
    if (!entry.last_m) {
        return fmt::format("every m from {} on", entry.first_m);
    }
    return entry.first_m == *entry.last_m
               ? fmt::format("m = {}", entry.first_m)
               : fmt::format("m = {} to {}", entry.first_m, *entry.last_m);
}

std::string ratio_text(const TableEntry& entry) {
    return entry.ratio_lo && entry.ratio_hi
               ? fmt::format(
                     "{:.3f} [{:.3f}, {:.3f}]", entry.ratio, *entry.ratio_lo, *entry.ratio_hi)
               : fmt::format("{:.3f} [one sample]", entry.ratio);
}

/// What was measured, at the entry's own m.
std::string figures(const TableEntry& entry) {
    return fmt::format("{:.2f} us, ratio {}, {}, {:.1f} % of the floor, nrmse {:.1e}, {}",
                       entry.time_us,
                       ratio_text(entry),
                       counted(entry.processes, "process", "processes"),
                       entry.floor_pct,
                       entry.nrmse,
                       entry.repeatable ? "repeatable" : "not repeatable");
}

std::string time_lines(const Explanation& why) {
    const TableEntry& entry = why.entry;
    const std::int64_t m = why.problem.shape.m;
    const std::int64_t own_m = entry.problem.shape.m;
    if (m == own_m) {
        return line("measured", figures(entry));
    }
    std::string text = line(
        "predicted",
        fmt::format(
            "{:.2f} us by its tiles of rows, from the measurement at m = {}", why.time_us, own_m));
    for (const auto& [other, time_us] : why.neighbours) {
        text +=
            line("",
                 std::isfinite(time_us)
                     ? fmt::format("the entry of m = {} would take {:.2f} us: {}",
                                   other.problem.shape.m,
                                   time_us,
                                   kernel_text(other))
                     : fmt::format("the entry of m = {} is for no other m", other.problem.shape.m));
    }
    return text + line(fmt::format("at m = {}", own_m), figures(entry));
}

/// How much longer `other` takes than `entry`, both measured for the same m.
std::string cost_text(const TableEntry& entry, const TableEntry& other) {
    const double percent = 100 * (entry.ratio / other.ratio - 1);
    return percent >= 0 ? fmt::format("{:.1f} % slower", percent)
                        : fmt::format("{:.1f} % faster", 100 * (other.ratio / entry.ratio - 1));
}

std::string tie_line(const Explanation& why) {
    if (why.tied.empty()) {
        return "";
    }
    std::string text = fmt::format(
        "chosen among {} that are about as fast (a former winner first; of those nearest to the "
        "fastest the one with less split-K, then with fewer registers):",
        why.tied.size() + 1);
    for (std::size_t i = 0; i < std::min(why.tied.size(), kMostTied); ++i) {
        text += fmt::format(
            "\n{:<12}{}: {}", "", kernel_text(why.tied[i]), cost_text(why.entry, why.tied[i]));
    }
    if (why.tied.size() > kMostTied) {
        text += fmt::format("\n{:<12}and {} more", "", why.tied.size() - kMostTied);
    }
    return line("tied", text);
}

std::string runner_up_line(const Explanation& why) {
    if (!why.runner_up) {
        return line("runner-up", "none: no other kernel of this layout was correct");
    }
    const TableEntry& other = *why.runner_up;
    return line("runner-up",
                fmt::format("{}: {} ({:.2f} us, {})",
                            kernel_text(other),
                            cost_text(why.entry, other),
                            other.time_us,
                            counted(other.processes, "process", "processes")));
}

std::string layout_line(const Explanation& why) {
    if (!why.other_layout) {
        return "";
    }
    const TableEntry& other = *why.other_layout;
    return line("layout",
                fmt::format("all entries of a matrix read one, here {}; the best of {}, {}: {}",
                            to_string(why.entry.layout),
                            to_string(other.layout),
                            kernel_text(other),
                            cost_text(why.entry, other)));
}

/// Whether the library's matmul is faster, by an interval of its time ÷ the kernel's.
std::string library_verdict(double low, double ratio, double high) {
    if (low > 1) {
        return fmt::format("takes {:.2f} times as long", ratio);
    }
    if (high < 1) {
        return fmt::format("would be faster: {:.1f} % less time", 100 * (1 - ratio));
    }
    return fmt::format("takes about as long: {:.3f} times", ratio);
}

/// Of an m at which the library was not measured: what it took for the swept m around it.
std::string library_around(const Explanation& why) {
    const std::int64_t m = why.problem.shape.m;
    std::string times;
    bool is_slower = true;
    const auto add = [&](const TableEntry& entry) {
        times += fmt::format("{:.2f} us at m = {}, ", entry.baseline_us, entry.problem.shape.m);
        is_slower = is_slower && entry.baseline_us > why.time_us;
    };
    add(why.entry);
    for (const auto& [other, time_us] : why.neighbours) {
        if ((other.problem.shape.m > m) != (why.entry.problem.shape.m > m)) {
            add(other);
        }
    }
    return fmt::format(
        "{}: {}not measured at m = {}", is_slower ? "probably slower" : "perhaps faster", times, m);
}

std::string library_line(const Explanation& why, const DispatchTable& table) {
    const TableEntry& entry = why.entry;
    std::string text = library_around(why);
    if (why.baseline_us) {
        const double ratio = *why.baseline_us / why.time_us;
        const bool is_measured = why.problem == entry.problem;
        text = fmt::format("{} ({:.2f} us)",
                           is_measured ? library_verdict(entry.ratio_lo.value_or(entry.ratio),
                                                         entry.ratio,
                                                         entry.ratio_hi.value_or(entry.ratio))
                                       : library_verdict(ratio, ratio, ratio),
                           *why.baseline_us);
    }
    return line(library_of(table), "with 16-bit weights: " + text);
}

std::string title(const Problem& problem, const DispatchTable& table, const std::string& rules) {
    return fmt::format("{} on {}, policy {}{}\n",
                       to_string(problem),
                       table.device_name,
                       table.policy,
                       rules.empty() ? "" : ", " + rules);
}

std::string entry_line(const TableEntry& entry) {
    return line("entry",
                fmt::format("of m = {}, for {}; layout {}",
                            entry.problem.shape.m,
                            interval_text(entry),
                            to_string(entry.layout)));
}

/// What the rules cost at this m.
std::string rules_line(const Explanation& why) {
    if (!why.without_rules) {
        return "";
    }
    const auto& [other, time_us] = *why.without_rules;
    return line("without",
                fmt::format("these rules {} of layout {} would serve it, in {:.2f} us",
                            kernel_text(other),
                            to_string(other.layout),
                            time_us));
}

std::string measured_text(const CostModel::Evidence& one) {
    if (one.kernel == nullptr) {
        return "not this kernel";
    }
    std::string text = fmt::format("{:.2f} us, {:.1f} % slower than the fastest",
                                   one.kernel->time_us,
                                   100 * (one.measured_slowness() - 1));
    if (one.differing > 0) {
        text += ", of a similar kernel: " + to_string(one.kernel->params);
    }
    return text;
}

}  // namespace

std::string line(const std::string& about, const std::string& text) {
    return fmt::format("{:<12}{}\n", about, text);
}

std::string extrapolation_text(const Problem& problem,
                               const TableEntry& entry,
                               const std::vector<CostModel::Evidence>& evidence,
                               const DispatchTable& table,
                               const std::string& rules) {
    std::string text =
        title(problem, table, rules) +
        line("choice",
             "EXTRAPOLATED: this matrix was not swept, a cost model fitted to others chose") +
        line("kernel", kernel_text(entry)) + entry_line(entry) +
        line("predicted",
             fmt::format("{:.2f} us; {} {:.2f} us at m = {}",
                         served_us(entry, problem.shape.m),
                         library_of(table),
                         entry.baseline_us,
                         entry.problem.shape.m));
    std::string about = "measured";
    for (const CostModel::Evidence& one : evidence) {
        text += line(about,
                     fmt::format("{}: {} (weight {:.0f} %)",
                                 to_string(one.problem),
                                 measured_text(one),
                                 100 * one.weight));
        about = "";
    }
    return text;
}

std::string explanation_text(const Explanation& why,
                             const DispatchTable& table,
                             const std::string& rules) {
    const TableEntry& entry = why.entry;
    return title(why.problem, table, rules) + line("kernel", kernel_text(entry)) +
           entry_line(entry) + time_lines(why) + tie_line(why) + runner_up_line(why) +
           layout_line(why) + rules_line(why) + library_line(why, table);
}

}  // namespace fdkbench
