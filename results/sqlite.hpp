#pragma once

#include "src/core/error.hpp"

#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

/// A thin layer over SQLite's C interface, for this folder only. Faults of the file or the disk
/// become an EnvironmentError or UsageError that names the file; refused SQL becomes a SqlError.
namespace fdkbench::sqlite {

/// SQLite cannot make sense of a statement; the message is SQLite's.
class SqlError : public Error {
  public:
    explicit SqlError(const std::string& message) : Error(ExitCode::kInternal, message) {}
};

enum class Access {
    kReadWrite,  ///< created when it is not there
    kReadOnly,
    kReadOnlyImmutable,  ///< also takes no locks: for a folder in which nobody can write
};

/// An open database file. Waits up to 10 s for another process's transaction.
class Connection {
  public:
    Connection(std::filesystem::path path, Access access);

    /// Runs statements that give no rows.
    void execute(const std::string& sql) const;
    /// Turns the write-ahead log on.
    void use_write_ahead_log() const;
    /// Throws what the last result code means.
    [[noreturn]] void fail() const;
    [[nodiscard]] bool read_only() const;
    /// All of it at this moment, in memory; path() stays the file's.
    [[nodiscard]] Connection copy() const;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

  private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    std::filesystem::path path_;
    std::unique_ptr<sqlite3, Close> handle_;
};

/// One prepared statement, which may be run any number of times. Must not outlive its connection.
class Statement {
  public:
    /// Throws SqlError unless `sql` holds exactly one valid statement.
    Statement(const Connection& connection, std::string_view sql);

    /// Binds the values to ?1, ?2, … and runs to the end, ignoring rows.
    template <typename... Values>
    void run(const Values&... values) {
        first(values...);
    }
    /// The same, returning the first column of the first row; nothing without rows or for NULL.
    template <typename... Values>
    std::optional<std::string> first(const Values&... values) {
        int index = 0;
        (bind(++index, values), ...);
        std::optional<std::string> result;
        if (step()) {
            result = text(0);
            while (step()) {
            }
        }
        return result;
    }
    template <typename... Values>
    std::optional<std::int64_t> first_integer(const Values&... values) {
        const std::optional<std::string> result = first(values...);
        return result ? std::optional<std::int64_t>(std::strtoll(result->c_str(), nullptr, 10))
                      : std::nullopt;
    }

    /// Binds one parameter, counted from 1. Text must stay alive until the statement has run.
    void bind(int index, std::int64_t value);
    void bind(int index, double value);
    void bind(int index, std::string_view value);
    void bind_null(int index);
    /// The value that another statement has in a column of its current row.
    void bind_column(int index, const Statement& other, int column);
    template <std::integral Integer>
    void bind(int index, Integer value) {
        bind(index, static_cast<std::int64_t>(value));
    }
    template <typename Value>
    void bind(int index, const std::optional<Value>& value) {
        value ? bind(index, *value) : bind_null(index);
    }

    /// Goes to the next row; false, and ready to run again, after the last one.
    bool step();
    /// Whether it changes nothing and returns rows.
    [[nodiscard]] bool is_query() const;
    [[nodiscard]] int columns() const;
    [[nodiscard]] std::string column_name(int column) const;
    /// The current row's value as text; nothing for NULL.
    [[nodiscard]] std::optional<std::string> text(int column) const;
    [[nodiscard]] bool numeric(int column) const;
    /// The current row's value as an integer; nothing for NULL.
    [[nodiscard]] std::optional<std::int64_t> integer(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    void check(int code) const;

    const Connection* connection_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A write transaction; rolled back on destruction unless committed.
class Transaction {
  public:
    explicit Transaction(const Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

  private:
    const Connection& connection_;
};

}  // namespace fdkbench::sqlite
