#include "results/table_entry.hpp"

namespace fdkbench {

TableEntry table_entry(const Rows& rows, std::size_t row) {
    TableEntry entry;
    static_cast<Winner&>(entry) = winner(rows, row);
    entry.plan = rows.plan(row);
    entry.launch_mode = launch_mode_of(rows.text(row, "policy"));
    entry.layout = rows.layout(row);
    entry.binary_hash = rows.text(row, "binary_hash");
    entry.measured_at = rows.text(row, "measured_at");
    entry.driver = rows.text(row, "driver");
    entry.compiler = rows.text(row, "compiler");
    entry.commit = rows.text(row, "commit_id");
    entry.measurement_id = rows.integer(row, "measurement_id");
    entry.run_id = rows.integer(row, "run_id");
    return entry;
}

std::vector<TableEntry> table_entries(const Rows& rows) {
    std::vector<TableEntry> entries;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        entries.push_back(table_entry(rows, row));
    }
    return entries;
}

bool same_kernel(const TableEntry& a, const TableEntry& b) {
    return a.family == b.family && a.params == b.params;
}

Problem matrix_of(Problem problem) {
    problem.shape.m = 0;
    return problem;
}

std::string matrix_text(const Problem& problem) {
    const std::string text = to_string(problem);
    return text.substr(text.find("n="));
}

}  // namespace fdkbench
