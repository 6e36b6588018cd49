#include "src/cli/extrapolator.hpp"

#include "results/extrapolation.hpp"
#include "tuner/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {
namespace {

/// What a sweep for this table would be told of the device.
SweepOptions sweep_options(const Store& store, const DispatchTable& table) {
    SweepOptions options;
    options.device = swept_device(store, table.device_key);
    options.compiler = table.compiler;
    options.policy.launch_mode = launch_mode_of(table.policy);
    return options;
}

TableEntry entry_of(const Candidate& candidate, const Store& store) {
    TableEntry entry;
    entry.problem = candidate.problem;
    entry.family = candidate.family;
    entry.params = candidate.params;
    entry.plan = candidate.plan;
    entry.layout = candidate.layout;
    entry.binary_hash = store.binary_hash(candidate.compile_key).value_or("");
    return entry;
}

/// What must not be chosen by what similar kernels did: rules are of each kernel itself.
std::optional<std::vector<CostModel::Failed>> failed_kernels(const Store& store,
                                                             const DispatchTable& table,
                                                             const TableRules& rules) {
    const KernelFilter filter = filter_of(rules);
    if (filter.max_nrmse || filter.repeatable) {
        return std::nullopt;
    }
    const Rows rows = failed(store, table.device_key, table.policy);
    std::vector<CostModel::Failed> kernels;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        kernels.push_back({rows.problem(row), rows.text(row, "family"), rows.params(row)});
    }
    return kernels;
}

}  // namespace

Extrapolator::Extrapolator(const Store& store, const DispatchTable& table, const TableRules& rules)
    : store_(store),
      rules_(rules),
      options_(sweep_options(store, table)),
      measured_(table_entries(ranked(store, table.device_key, table.policy, filter_of(rules)))),
      model_(measured_, options_.device.units, failed_kernels(store, table, rules)) {}

std::vector<TableEntry> Extrapolator::entries(Problem matrix) const {
    const std::vector<const Family*> families = chosen_families(options_);
    std::vector<TableEntry> candidates;
    for (const std::int64_t m : model_.swept_m(matrix)) {
        matrix.shape.m = m;
        validate(matrix);
        for (const Candidate& candidate :
             enumerate_candidates(matrix, families, options_).candidates) {
            candidates.push_back(entry_of(candidate, store_));
        }
    }
    return extrapolated_entries(model_, std::move(candidates), rules_);
}

std::string Extrapolator::held_out_text() const {
    const std::vector<HeldOut> all = held_out(measured_, options_.device.units);
    if (all.empty()) {
        return "what such choices lose is not known: only one matrix of each format was swept";
    }
    const HeldOut& worst = *std::ranges::max_element(all, {}, &HeldOut::loss);
    return fmt::format(
        "such choices, made for each swept matrix by the others alone, lose {:.1f} % (geometric "
        "mean of {}), {:.1f} % at worst ({})",
        100 * mean_loss(all),
        all.size(),
        100 * worst.loss,
        to_string(worst.problem));
}

}  // namespace fdkbench
