#pragma once

#include "results/table_rules.hpp"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What the user typed of TableRules.
struct TableRulesArguments {
    std::optional<double> max_nrmse;
    bool repeatable = false;
    bool batch_invariant = false;
    std::optional<int> max_kernels;
    std::string weights;
};

/// --max-nrmse, --repeatable, --batch-invariant, --max-kernels and --weights.
void add_table_rules(CLI::App& app, TableRulesArguments& arguments);

/// Throws UsageError.
TableRules finished(const TableRulesArguments& arguments);

/// Rules that were typed, as far as one of them and those before it.
struct RuleStage {
    std::string typed;  ///< "--max-kernels 2": the last of them
    TableRules rules;
};
/// One for each rule; the last has all.
std::vector<RuleStage> stages_of(const TableRules& rules);

/// "--max-nrmse 0.002 --repeatable"; "" without rules.
std::string typed_rules(const TableRules& rules);

}  // namespace fdkbench
