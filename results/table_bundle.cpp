#include "results/table_bundle.hpp"

#include "src/core/artifact_cache.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <set>

namespace fdkbench {

Bundle bundle_of(const DispatchTable& table, const std::filesystem::path& cache_dir) {
    if (table.entries.empty()) {
        throw UsageError("the table has no entries to bundle: run fdkbench sweep first");
    }
    Bundle bundle;
    bundle.table = Json::parse(to_json_text(table));
    std::set<std::string> missing;
    std::string first;
    for (const TableEntry& entry : table.entries) {
        if (bundle.binaries.contains(entry.binary_hash)) {
            continue;
        }
        if (auto binary = cached_binary(cache_dir, entry.binary_hash)) {
            bundle.binaries.emplace(entry.binary_hash, std::move(*binary));
        } else if (missing.insert(entry.binary_hash).second && first.empty()) {
            first = fmt::format("{} for {}", entry.family, to_string(entry.problem));
        }
    }
    if (!missing.empty()) {
        throw EnvironmentError(fmt::format(
            "the kernel cache {} lacks {} of the table's {} kernels (first {}): name the folder "
            "that the sweep compiled into with --cache-dir, or have the winners compiled again by "
            "fdkbench verify with the same --db, --device and --cache-dir",
            cache_dir.string(),
            missing.size(),
            missing.size() + bundle.binaries.size(),
            first));
    }
    return bundle;
}

}  // namespace fdkbench
