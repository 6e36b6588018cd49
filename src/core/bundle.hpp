#pragma once

#include "src/core/json.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fdkbench {

/// A dispatch table and the binaries that its entries name, in one file:
///
///     fdkbench-bundle 1 <bytes> <SHA-256>\n    of the index that follows; 1 is the version
///     {"table": {…}, "binaries": [{"hash": "<SHA-256>", "bytes": <number>}, …]}
///     the binaries in the order of the index, one right behind the other, and nothing after them
///
/// The table is that of results/dispatch-table.schema.json.
struct Bundle {
    static constexpr int kVersion = 1;
    using Binary = std::vector<std::byte>;

    Json table;
    std::map<std::string, Binary> binaries;  ///< by hash
};

/// The file's content.
std::string to_bytes(const Bundle& bundle);

/// Reads and checks every byte of a file: the index and each binary have the hashes that are told.
/// Throws UsageError, saying what to do, for a file that is none, of another version, truncated or
/// damaged.
Bundle read_bundle(const std::filesystem::path& path);

}  // namespace fdkbench
