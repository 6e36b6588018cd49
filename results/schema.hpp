#pragma once

#include "results/sqlite.hpp"

#include <string>

namespace fdkbench {

/// Creates the tables in an empty database, or takes an older one to the current version; replaces
/// views by which another fdkbench chooses winners. Throws UsageError, without changing anything,
/// for a database that is not fdkbench's or is newer.
void migrate(const sqlite::Connection& connection);

/// Where another fdkbench made the views by which winners are chosen, this connection sees its own
/// instead; the file stays as it is.
void shadow_foreign_views(const sqlite::Connection& connection);

/// Whether migrate() would bring tables up to date; throws as migrate() does. False for an empty
/// database.
bool is_older(const sqlite::Connection& connection);

/// The same check for a database that is only read; one without tables is refused too.
void require_readable(const sqlite::Connection& connection);

/// The SELECT of view `tied`, over the rows of view `eligible` for which `condition` holds.
std::string tied_sql(const std::string& condition);

/// The same rows with those that are no winners, the best of each cell first (ranked.sql).
std::string ranked_sql(const std::string& condition);

/// The SELECT of view `best`, over the rows of view `eligible` for which `condition` holds.
std::string winners_sql(const std::string& condition);

}  // namespace fdkbench
