#pragma once

#include "results/sqlite.hpp"

namespace fdkbench {

/// Creates the tables in an empty database, or takes an older one to the current version. Throws
/// UsageError, without changing anything, for a database that is not fdkbench's or is newer.
void migrate(const sqlite::Connection& connection);

/// The same check for a database that is only read; one without tables is refused too.
void require_readable(const sqlite::Connection& connection);

}  // namespace fdkbench
