#include "src/cli/check_problems.hpp"

#include "results/unswept.hpp"
#include "src/core/error.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace fdkbench {
namespace {

/// Whether nothing was typed for an axis, or this value, too.
template <typename Value>
bool takes(const std::vector<Value>& typed, const Value& value) {
    return typed.empty() || std::ranges::find(typed, value) != typed.end();
}

bool is_typed(const ProblemAxes& axes, const Problem& problem) {
    const auto& [shape, format, type] = problem;
    const bool takes_group =
        !format.quantised() || takes(axes.group_size, std::to_string(format.group_size)) ||
        (format.group_size == shape.k && takes(axes.group_size, std::string("k")));
    return takes_group && takes(axes.bits, format.bits) && takes(axes.types, type);
}

/// Of the table's matrices and those between them.
std::vector<Problem> of_table(const ProblemAxes& axes, const DispatchTable& table) {
    std::vector<Problem> problems;
    for (Problem problem : unswept_problems(table)) {
        if (!is_typed(axes, problem)) {
            continue;
        }
        for (const std::int64_t m : axes.m.empty() ? std::vector{problem.shape.m} : axes.m) {
            problem.shape.m = m;
            validate(problem);
            problems.push_back(problem);
        }
    }
    return problems;
}

template <typename Value>
void fill(std::vector<Value>& typed, const std::set<Value>& of_table) {
    if (typed.empty()) {
        typed.assign(of_table.begin(), of_table.end());
    }
}

ProblemAxes completed(ProblemAxes axes, const DispatchTable& table) {
    std::set<std::int64_t> swept_m;
    std::set<int> bits;
    std::set<std::string> group_sizes;
    std::set<ElementType> types;
    for (const TableEntry& entry : table.entries) {
        const auto& [shape, format, type] = entry.problem;
        swept_m.insert(shape.m);
        bits.insert(format.bits);
        types.insert(type);
        if (format.quantised()) {
            group_sizes.insert(std::to_string(format.group_size));
        }
    }
    if (!axes.k.empty()) {
        const std::vector<std::int64_t> between = middles({swept_m.begin(), swept_m.end()});
        fill(axes.m, {between.begin(), between.end()});
        fill(axes.n, {"k"});
    }
    fill(axes.bits, bits);
    fill(axes.group_size, group_sizes);
    fill(axes.types, types);
    return axes;
}

}  // namespace

std::vector<Problem> check_problems(const ProblemAxes& typed, const DispatchTable& table) {
    std::vector<Problem> problems;
    const bool names_matrices = !typed.k.empty() || !typed.n.empty();
    if (!names_matrices && (typed.shapes.empty() || !typed.m.empty())) {
        problems = of_table(typed, table);
    }
    if (names_matrices || !typed.shapes.empty()) {
        const std::vector<Problem> more = problems_from(completed(typed, table));
        problems.insert(problems.end(), more.begin(), more.end());
    }
    if (problems.empty()) {
        throw UsageError(
            "there is nothing to check: the table has no such format, or no m between those that "
            "were swept: name problems with -m and -k, or --shape MxNxK");
    }
    return in_plan_order(problems);
}

}  // namespace fdkbench
