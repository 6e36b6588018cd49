#include "results/database.hpp"

#include "results/schema.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

namespace fdkbench {

namespace {

/// A folder in which SQLite cannot put the files that coordinate a database's users.
bool read_only_folder(const std::filesystem::path& file) {
    const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
    return ::faccessat(AT_FDCWD, folder.c_str(), W_OK, AT_EACCESS) != 0;
}

bool has_log(const std::filesystem::path& file) {
    std::error_code ignored;
    return std::filesystem::exists(file.string() + "-wal", ignored);
}

sqlite::Connection open_existing(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        throw UsageError(
            fmt::format("there is no database {}: run fdkbench sweep first, or give another --db",
                        path.string()));
    }
    const bool immutable = read_only_folder(path) && !has_log(path);
    return {path, immutable ? sqlite::Access::kReadOnlyImmutable : sqlite::Access::kReadOnly};
}

}  // namespace

void blame_file(const sqlite::Connection& connection, const std::function<void()>& work) {
    try {
        work();
    } catch (const sqlite::SqlError& error) {
        throw UsageError(fmt::format("the database {} is damaged: {}: give another --db",
                                     connection.path().string(),
                                     error.what()));
    }
}

sqlite::Connection open_database(const std::filesystem::path& path) {
    sqlite::Connection connection(path, sqlite::Access::kReadWrite);
    if (connection.read_only()) {
        throw EnvironmentError(fmt::format(
            "the database {} is read-only: make it writable, or give another --db", path.string()));
    }
    blame_file(connection, [&] { migrate(connection); });
    // With a write-ahead log, NORMAL keeps every committed row through the death of the process,
    // and a valid database through the loss of power.
    connection.use_write_ahead_log();
    connection.execute("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
    return connection;
}

sqlite::Connection open_database_read_only(const std::filesystem::path& path) {
    sqlite::Connection connection = open_existing(path);
    blame_file(connection, [&] {
        require_readable(connection);
        shadow_foreign_views(connection);
    });
    return connection;
}

sqlite::Connection open_database_snapshot(const std::filesystem::path& path) {
    sqlite::Connection connection = open_existing(path);
    blame_file(connection, [&] {
        if (is_older(connection)) {
            connection = connection.copy();
            migrate(connection);
        }
        require_readable(connection);
    });
    return connection;
}

}  // namespace fdkbench
