#include "src/cli/table_rules.hpp"

#include "src/core/error.hpp"
#include "src/core/launch_plan.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <sstream>
#include <string_view>
#include <utility>

namespace fdkbench {
namespace {

/// The whole of `text` as a number; nothing for anything else.
template <typename Number>
std::optional<Number> number_in(std::string_view text) {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stopped == end ? std::optional(value) : std::nullopt;
}

/// "16:10" into a number of rows and a count; nothing for anything else.
std::optional<std::pair<std::int64_t, double>> weight_in(std::string_view item) {
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const auto m = number_in<std::int64_t>(item.substr(0, colon));
    const double count = number_in<double>(item.substr(colon + 1)).value_or(0);
    if (!m || *m < 1 || *m > RowTiling::kAnyNumber || !(count > 0) || !std::isfinite(count)) {
        return std::nullopt;
    }
    return std::pair(*m, count);
}

/// "1:100,16:10".
RowCounts parse_weights(const std::string& text) {
    RowCounts counts;
    std::istringstream items(text);
    for (std::string item; std::getline(items, item, ',');) {
        const auto weight = weight_in(item);
        if (!weight) {
            throw UsageError(fmt::format(
                "--weights '{}' is not possible at '{}': give m:count,…, m from 1 to {} and counts "
                "above 0, as in --weights 1:100,16:10",
                text,
                item,
                RowTiling::kAnyNumber));
        }
        counts[weight->first] += weight->second;
    }
    return counts;
}

std::string weights_text(const RowCounts& weights) {
    std::string text;
    for (const auto& [m, count] : weights) {
        text += fmt::format("{}{}:{}", text.empty() ? " --weights " : ",", m, count);
    }
    return text;
}

}  // namespace

void add_table_rules(CLI::App& app, TableRulesArguments& arguments) {
    app.add_option(
           "--max-nrmse", arguments.max_nrmse, "Only kernels with at most this normalised error")
        ->check(CLI::PositiveNumber);
    app.add_flag("--repeatable",
                 arguments.repeatable,
                 "Only kernels whose results were bitwise the same when run twice");
    CLI::Option* invariant =
        app.add_flag("--batch-invariant",
                     arguments.batch_invariant,
                     "Rows of y that are bitwise the same whatever other rows there are: "
                     "one repeatable kernel for all m of a matrix, without library steps");
    app.add_option("--max-kernels",
                   arguments.max_kernels,
                   "At most so many kernels for each matrix: those that lose least time")
        ->excludes(invariant);
    app.add_option("--weights",
                   arguments.weights,
                   "How often each m occurs, m:count,…, for the choice of few kernels [each m that "
                   "was swept once]");
}

TableRules finished(const TableRulesArguments& arguments) {
    TableRules rules;
    rules.max_nrmse = arguments.max_nrmse;
    rules.repeatable = arguments.repeatable;
    rules.batch_invariant = arguments.batch_invariant;
    if (arguments.max_kernels && *arguments.max_kernels < 1) {
        throw UsageError(fmt::format("--max-kernels {} is not possible: give 1 or more",
                                     *arguments.max_kernels));
    }
    rules.max_kernels = arguments.max_kernels.value_or(0);
    rules.weights = parse_weights(arguments.weights);
    if (!arguments.weights.empty() && rules.limit() == 0) {
        throw UsageError(
            fmt::format("--weights {} is for the choice of few kernels: type --max-kernels K or "
                        "--batch-invariant with it",
                        arguments.weights));
    }
    return rules;
}

std::vector<RuleStage> stages_of(const TableRules& rules) {
    std::vector<RuleStage> stages;
    TableRules so_far;
    if (rules.max_nrmse) {
        so_far.max_nrmse = rules.max_nrmse;
        stages.push_back({fmt::format("--max-nrmse {}", *rules.max_nrmse), so_far});
    }
    if (rules.repeatable) {
        so_far.repeatable = true;
        stages.push_back({"--repeatable", so_far});
    }
    so_far.weights = rules.weights;
    if (rules.batch_invariant) {
        so_far.batch_invariant = true;
        stages.push_back({"--batch-invariant" + weights_text(rules.weights), so_far});
    }
    if (rules.max_kernels > 0) {
        so_far.max_kernels = rules.max_kernels;
        stages.push_back(
            {fmt::format("--max-kernels {}{}", rules.max_kernels, weights_text(rules.weights)),
             so_far});
    }
    return stages;
}

std::string typed_rules(const TableRules& rules) {
    std::string text;
    for (const RuleStage& stage : stages_of(rules)) {
        text += (text.empty() ? "" : " ") + stage.typed;
    }
    return text;
}

}  // namespace fdkbench
