#pragma once

#include "results/winners.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// A kernel of one cell, at first its winner among the kernels of one layout, with how to launch it
/// and where its measurement came from. It was measured for the m of its problem; of those that
/// were not, it is taken to be the best from first_m to last_m (intervals.hpp).
struct TableEntry : Winner {
    std::int64_t first_m = 0;
    std::optional<std::int64_t> last_m;  ///< nothing: without end
    LaunchPlan plan;
    LaunchMode launch_mode = LaunchMode::kPlain;  ///< when it was timed
    Layout layout = Layout::kCanonical;
    std::string binary_hash;
    std::string measured_at;  ///< ISO 8601, UTC
    std::string driver;
    std::string compiler;
    std::string commit;
    std::int64_t measurement_id = 0;  ///< in the database, as is run_id
    std::int64_t run_id = 0;
    /// Its matrix was not swept: a cost model chose it, time, ratio and error are its predictions,
    /// and what it was measured with is that of the newest measurement they rest on (CostModel).
    bool extrapolated = false;

    /// Whether it is taken for m rows.
    [[nodiscard]] bool serves(std::int64_t m) const {
        return first_m <= m && m <= last_m.value_or(m);
    }
};

/// One of the rows of winners() or ranked(), without an interval.
TableEntry table_entry(const Rows& rows, std::size_t row);
/// All of them.
std::vector<TableEntry> table_entries(const Rows& rows);

/// Whether they have the same family and parameters.
bool same_kernel(const TableEntry& a, const TableEntry& b);

/// The problem without its m: what entries of one matrix have in common.
Problem matrix_of(Problem problem);
/// "n=4096 k=4096 bits=4 group_size=64 bf16".
std::string matrix_text(const Problem& problem);

}  // namespace fdkbench
