#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace fdkbench {

/// What became of one input's measurements.
struct MergeCounts {
    std::size_t added = 0;
    std::size_t replaced = 0;  ///< it took the place of the output's row for the same kernel
    std::size_t kept = 0;      ///< the output's row for the same kernel stayed
};

struct MergeResult {
    std::vector<MergeCounts> inputs;  ///< in the order in which they were given
    std::int64_t measurements = 0;    ///< in the output now
    std::int64_t cells = 0;           ///< that have some
};

/// Joins databases into `output`, which is created when it is not there. Of two measurements of the
/// same kernel in the same cell one that found a wrong output stays, then the one with more
/// samples, then the later one; what the output then holds depends neither on the order of the
/// inputs nor on how often they are merged. Inputs are not changed; the journal of kernels that are
/// being run stays with their sweep.
/// All inputs are checked before anything is written, and all are merged or none.
///
/// Throws UsageError for an input that is damaged, no such database or of a newer version, or is
/// the output; EnvironmentError when the output cannot be written.
MergeResult merge(const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& inputs);

}  // namespace fdkbench
