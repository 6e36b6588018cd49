#pragma once

#include "results/sqlite.hpp"

#include <filesystem>
#include <functional>

namespace fdkbench {

/// Runs `work`, whose statements are the program's own. Throws UsageError that names the file where
/// SQLite cannot make sense of one: the file is at fault then.
void blame_file(const sqlite::Connection& connection, const std::function<void()>& work);

/// Opens or creates a database to write to, and migrates an older schema. Throws UsageError for a
/// file that is not such a database or is of a newer version, EnvironmentError when it cannot be
/// written.
sqlite::Connection open_database(const std::filesystem::path& path);

/// Opens an existing database without the right to change it. Throws UsageError when there is none,
/// or one of another kind or version.
sqlite::Connection open_database_read_only(const std::filesystem::path& path);

/// The same, but of a database of an older version an up-to-date copy in memory.
sqlite::Connection open_database_snapshot(const std::filesystem::path& path);

}  // namespace fdkbench
