#include "src/cli/boundary_cells.hpp"

#include "results/boundaries.hpp"
#include "tuner/problems.hpp"
#include "tuner/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fdkbench {

namespace {

CellPlan cell_of(const Problem& problem,
                 const std::vector<TableEntry>& finalists,
                 const SweepOptions& sweep) {
    CellPlan cell;
    cell.problem = problem;
    for (const TableEntry& finalist : finalists) {
        if (matrix_of(finalist.problem) != matrix_of(problem) ||
            !for_m(finalist.plan, problem.shape.m)) {
            continue;
        }
        auto candidate = rebuilt_candidate(finalist.family, problem, finalist.params, sweep);
        if (!candidate) {
            cell.candidates.clear();
            cell.skipped = {{fmt::format("{} {}", finalist.family, to_string(finalist.params)), 1}};
            return cell;
        }
        cell.candidates.push_back(std::move(*candidate));
    }
    return cell;
}

}  // namespace

DispatchTable swept_table(const Store& store, const SweepOptions& sweep) {
    const std::vector<std::string> known = policies(store, sweep.device.key);
    if (std::ranges::find(known, sweep.policy.key()) == known.end()) {
        return {};  // nothing was measured yet
    }
    std::set<Problem> matrices;
    for (const Problem& problem : sweep.problems) {
        matrices.insert(matrix_of(problem));
    }
    DispatchTable table = read_table(store, sweep.device.key, {}, sweep.policy.key());
    std::erase_if(table.entries, [&](const TableEntry& entry) {
        return !matrices.contains(matrix_of(entry.problem));
    });
    return table;
}

std::vector<CellPlan> boundary_cells(const Store& store, const SweepOptions& sweep) {
    const DispatchTable table = swept_table(store, sweep);
    std::vector<Problem> problems = crossings(table);
    for (const TableEntry& entry : table.entries) {
        problems.push_back(entry.problem);
    }
    const std::vector<TableEntry> kernels = finalists(store, table);
    std::vector<CellPlan> cells;
    for (const Problem& problem : in_plan_order(std::move(problems))) {
        cells.push_back(cell_of(problem, kernels, sweep));
    }
    return cells;
}

}  // namespace fdkbench
