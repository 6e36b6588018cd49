#include "results/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <utility>

namespace fdkbench::sqlite {

namespace {

constexpr int kBusyTimeoutMs = 10'000;

/// A "file:" URI: the only way to ask for an immutable database.
std::string uri(const std::filesystem::path& path, std::string_view options) {
    std::string text = "file://";
    for (const char c : std::filesystem::absolute(path).string()) {
        if (c == '%' || c == '?' || c == '#') {
            text += fmt::format("%{:02X}", c);
        } else {
            text += c;
        }
    }
    text += options;
    return text;
}

int open(const std::filesystem::path& path, Access access, sqlite3** handle) {
    switch (access) {
        case Access::kReadWrite:
            return sqlite3_open_v2(
                path.c_str(), handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
        case Access::kReadOnly:
            return sqlite3_open_v2(path.c_str(), handle, SQLITE_OPEN_READONLY, nullptr);
        case Access::kReadOnlyImmutable:
            return sqlite3_open_v2(uri(path, "?immutable=1").c_str(),
                                   handle,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                                   nullptr);
    }
    return SQLITE_MISUSE;
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const {
    sqlite3_close_v2(handle);
}

Connection::Connection(std::filesystem::path path, Access access) : path_(std::move(path)) {
    sqlite3* handle = nullptr;
    const int code = open(path_, access, &handle);
    handle_.reset(handle);
    if (code != SQLITE_OK) {
        fail();
    }
    sqlite3_busy_timeout(handle, kBusyTimeoutMs);
}

Connection Connection::copy() const {
    Connection memory(":memory:", Access::kReadWrite);
    memory.path_ = path_;
    sqlite3_backup* backup = sqlite3_backup_init(memory.handle(), "main", handle(), "main");
    if (backup == nullptr) {
        memory.fail();
    }
    sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK) {
        memory.fail();
    }
    return memory;
}

void Connection::execute(const std::string& sql) const {
    if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        fail();
    }
}

void Connection::use_write_ahead_log() const {
    const auto turn_on = [this] {
        return sqlite3_exec(handle(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    };
    // SQLite does not wait by itself here when other processes are opening the file.
    constexpr int kPauseMs = 10;
    int code = turn_on();
    for (int waited = 0; code == SQLITE_BUSY && waited < kBusyTimeoutMs; waited += kPauseMs) {
        sqlite3_sleep(kPauseMs);
        code = turn_on();
    }
    if (code != SQLITE_OK) {
        fail();
    }
}

void Connection::fail() const {
    const std::string file = path_.string();
    const std::string message = sqlite3_errmsg(handle());
    const int system_errno = sqlite3_system_errno(handle());
    const std::string cause =
        system_errno == 0 ? message : fmt::format("{} ({})", message, std::strerror(system_errno));
    switch (sqlite3_errcode(handle()) & 0xff) {
        case SQLITE_NOTADB:
            throw UsageError(
                fmt::format("{} is not an fdkbench database: give another --db", file));
        case SQLITE_CORRUPT:
            throw UsageError(fmt::format(
                "the database {} is damaged: {}; give another --db, or try to save its rows with "
                "sqlite3 {} .recover",
                file,
                message,
                file));
        case SQLITE_FULL:
            throw EnvironmentError(fmt::format(
                "cannot write the database {}: the disk is full; free some space and run the same "
                "command again: all rows stored so far are kept",
                file));
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw EnvironmentError(fmt::format(
                "the database {} is locked by another process: end that one, or give another --db",
                file));
        case SQLITE_CANTOPEN:
            throw EnvironmentError(fmt::format(
                "cannot open the database {}: {}; give a file in a folder that you may write to "
                "with --db",
                file,
                cause));
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
            throw EnvironmentError(
                fmt::format("cannot use the database {}: {}; all rows stored so far are kept: "
                            "check the disk and the file's permissions, or give another --db",
                            file,
                            cause));
        default:
            throw SqlError(message);
    }
}

bool Connection::read_only() const {
    return sqlite3_db_readonly(handle(), "main") == 1;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Statement::Statement(const Connection& connection, std::string_view sql)
    : connection_(&connection) {
    const std::string text(sql);
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    check(sqlite3_prepare_v2(connection.handle(), text.c_str(), -1, &statement, &tail));
    statement_.reset(statement);
    if (!statement_) {
        throw SqlError("there is no statement");
    }
    // Blanks and comments prepare to nothing; anything else is a second statement.
    sqlite3_stmt* second = nullptr;
    const int code = sqlite3_prepare_v2(connection.handle(), tail, -1, &second, nullptr);
    sqlite3_finalize(second);
    if (code != SQLITE_OK || second != nullptr) {
        throw SqlError("there is more than one statement");
    }
}

void Statement::check(int code) const {
    if (code != SQLITE_OK) {
        connection_->fail();
    }
}

void Statement::bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind(int index, double value) {
    check(sqlite3_bind_double(statement_.get(), index, value));
}

void Statement::bind(int index, std::string_view value) {
    // A null pointer would bind NULL; an empty view may hold one.
    const char* text = value.data() == nullptr ? "" : value.data();
    check(sqlite3_bind_text(
        statement_.get(), index, text, static_cast<int>(value.size()), SQLITE_STATIC));
}

void Statement::bind_null(int index) {
    check(sqlite3_bind_null(statement_.get(), index));
}

void Statement::bind_column(int index, const Statement& other, int column) {
    check(sqlite3_bind_value(
        statement_.get(), index, sqlite3_column_value(other.statement_.get(), column)));
}

bool Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) {
        return true;
    }
    // A statement that is not reset keeps its read transaction; the code stays with the connection.
    sqlite3_reset(statement_.get());
    if (code != SQLITE_DONE) {
        connection_->fail();
    }
    return false;
}

bool Statement::is_query() const {
    return sqlite3_stmt_readonly(statement_.get()) != 0 && columns() > 0;
}

int Statement::columns() const {
    return sqlite3_column_count(statement_.get());
}

std::string Statement::column_name(int column) const {
    return sqlite3_column_name(statement_.get(), column);
}

std::optional<std::string> Statement::text(int column) const {
    const unsigned char* data = sqlite3_column_text(statement_.get(), column);
    if (data == nullptr) {
        return std::nullopt;
    }
    const int bytes = sqlite3_column_bytes(statement_.get(), column);
    return std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(bytes));
}

bool Statement::numeric(int column) const {
    const int type = sqlite3_column_type(statement_.get(), column);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

Transaction::Transaction(const Connection& connection) : connection_(connection) {
    // IMMEDIATE: a transaction that starts as a reader cannot always become a writer later.
    connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    // After some faults SQLite has rolled back already.
    if (sqlite3_get_autocommit(connection_.handle()) == 0) {
        sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

void Transaction::commit() {
    connection_.execute("COMMIT");
}

std::optional<std::int64_t> Statement::integer(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) {
        return std::nullopt;
    }
    return sqlite3_column_int64(statement_.get(), column);
}

}  // namespace fdkbench::sqlite
