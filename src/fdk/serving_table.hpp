#pragma once

#include "src/core/bundle.hpp"
#include "src/core/device_info.hpp"
#include "src/core/launch_plan.hpp"
#include "src/core/problem.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fdkbench {

/// How to multiply for an interval of m.
struct ServingEntry {
    Problem problem;  ///< that was measured
    std::int64_t first_m = 1;
    std::int64_t last_m = 1;
    Layout layout = Layout::kCanonical;
    LaunchMode launch_mode = LaunchMode::kPlain;
    LaunchPlan plan;
    std::string binary_hash;
};

/// What a program needs of a dispatch table, with its kernels.
struct ServingTable {
    /// Of results/dispatch-table.schema.json: before 6 there was no whole_depth, before 5 no
    /// row_step, before 4 were 2-bit weights of the fragment layout in another order, before 3 no
    /// intervals.
    static constexpr int kSchemaVersion = 6;
    static constexpr int kOldestSchemaVersion = 2;

    std::string name;  ///< of the file, for people
    /// That was swept: backend, name, arch, and units, cache_bytes and memory_gb_s where it tells
    /// them, else 0.
    DeviceInfo device;
    std::vector<ServingEntry> entries;
    std::map<std::string, Bundle::Binary> binaries;  ///< by hash; those of all entries

    /// The entries of a matrix, by m, whose intervals do not overlap; `matrix.shape.m` does not
    /// count.
    [[nodiscard]] std::vector<const ServingEntry*> entries_for(Problem matrix) const;
};

/// Throws UsageError for what is no bundle of a table of this version.
ServingTable read_serving_table(const std::filesystem::path& path);

}  // namespace fdkbench
