#pragma once

#include "src/core/bundle.hpp"
#include "src/core/launch_plan.hpp"
#include "src/core/problem.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace fdkbench {

/// How to multiply for one m.
struct ServingEntry {
    Problem problem;
    Layout layout = Layout::kCanonical;
    LaunchMode launch_mode = LaunchMode::kPlain;
    LaunchPlan plan;
    std::string binary_hash;
};

/// What a program needs of a dispatch table, with its kernels.
struct ServingTable {
    static constexpr int kSchemaVersion = 2;  ///< of results/dispatch-table.schema.json

    std::string name;  ///< of the file, for people
    std::string device_backend;
    std::string device_name;
    std::string device_arch;
    std::vector<ServingEntry> entries;
    std::map<std::string, Bundle::Binary> binaries;  ///< by hash; those of all entries

    /// The entries of a matrix, by m; `matrix.shape.m` does not count.
    [[nodiscard]] std::vector<const ServingEntry*> entries_for(Problem matrix) const;
};

/// Throws UsageError for what is no bundle of a table of this version.
ServingTable read_serving_table(const std::filesystem::path& path);

}  // namespace fdkbench
