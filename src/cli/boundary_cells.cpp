#include "src/cli/boundary_cells.hpp"

#include "results/boundaries.hpp"
#include "tuner/problems.hpp"
#include "tuner/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fdkbench {

namespace {

/// Adds those of its matrix that it lacks; where one cannot be built, that is all the cell says.
void add_finalists(CellPlan& cell,
                   const std::vector<TableEntry>& finalists,
                   const SweepOptions& sweep) {
    for (const TableEntry& finalist : finalists) {
        if (matrix_of(finalist.problem) != matrix_of(cell.problem) ||
            !for_m(finalist.plan, cell.problem.shape.m)) {
            continue;
        }
        auto candidate = rebuilt_candidate(finalist.family, cell.problem, finalist.params, sweep);
        if (!candidate) {
            cell.candidates.clear();
            cell.skipped = {{fmt::format("{} {}", finalist.family, to_string(finalist.params)), 1}};
            return;
        }
        if (std::ranges::count(cell.candidates, candidate->compile_key, &Candidate::compile_key) ==
            0) {
            cell.candidates.push_back(std::move(*candidate));
        }
    }
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
    const std::vector<Problem> first = first_crossings(store, table, sweep.problems);
    const std::set<Problem> full(first.begin(), first.end());
    std::vector<Problem> problems = crossings(table);
    problems.insert(problems.end(), first.begin(), first.end());
    for (const TableEntry& entry : table.entries) {
        problems.push_back(entry.problem);
    }
    const std::vector<TableEntry> kernels = finalists(store, table);
    const std::vector<const Family*> families = chosen_families(sweep);
    std::vector<CellPlan> cells;
    for (const Problem& problem : in_plan_order(std::move(problems))) {
        CellPlan cell;
        if (full.contains(problem)) {
            cell = enumerate_candidates(problem, families, sweep);
            cell.skipped.clear();  // a sweep does not try these, and nothing lacks them
        }
        cell.problem = problem;
        add_finalists(cell, kernels, sweep);
        cells.push_back(std::move(cell));
    }
    return cells;
}

}  // namespace fdkbench
