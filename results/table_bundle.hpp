#pragma once

#include "results/dispatch_table.hpp"
#include "src/core/bundle.hpp"

#include <filesystem>

namespace fdkbench {

/// The table with the compiled kernels that it names, taken from a kernel cache. Throws
/// EnvironmentError, saying how to have them compiled again, when the cache lacks some of them or
/// has them damaged, and UsageError for a table without entries.
Bundle bundle_of(const DispatchTable& table, const std::filesystem::path& cache_dir);

}  // namespace fdkbench
