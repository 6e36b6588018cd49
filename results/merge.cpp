#include "results/merge.hpp"

#include "results/database.hpp"
#include "results/sqlite.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace fdkbench {

namespace {

using sqlite::Connection;
using sqlite::Statement;

/// Tables whose rows several databases may share, those that are referred to first.
constexpr std::array kShared{"device", "run", "candidate", "cell", "binary"};

/// Ids of an input's rows → ids of the same rows in the output, by table.
using Ids = std::map<std::string, std::unordered_map<std::int64_t, std::int64_t>>;

/// A column to be copied.
struct Column {
    std::string name;
    std::string parent;  ///< the table whose id it holds; empty: a plain value
};

/// All but the id, what SQLite computes, and decided_at: with the rows of others a cell is to be
/// decided again.
std::vector<Column> columns_of(const Connection& connection, const std::string& table) {
    Statement statement(connection,
                        "SELECT name, (SELECT \"table\" FROM pragma_foreign_key_list(?1)"
                        " WHERE \"from\" = name) FROM pragma_table_info(?1)"
                        " WHERE name NOT IN ('id', 'decided_at')");
    statement.bind(1, table);
    std::vector<Column> columns;
    while (statement.step()) {
        columns.push_back({statement.text(0).value(), statement.text(1).value_or("")});
    }
    return columns;
}

std::string names_of(const std::vector<Column>& columns) {
    std::vector<std::string> names;
    std::ranges::transform(columns, std::back_inserter(names), &Column::name);
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string insert_sql(const std::string& table, const std::vector<Column>& columns) {
    const std::vector<std::string> values(columns.size(), "?");
    return fmt::format(
        "INSERT INTO {} ({}) VALUES ({})", table, names_of(columns), fmt::join(values, ", "));
}

/// For rows that are there already. Of two values the larger one stays, and any before none: a
/// choice that depends on no order. Candidates are compared by what they are, as ids mean nothing
/// across databases.
std::string join_sql(const std::vector<Column>& columns) {
    std::vector<std::string> changes;
    for (const auto& [name, parent] : columns) {
        if (parent.empty()) {
            changes.push_back(
                fmt::format("{0} = coalesce(max({0}, excluded.{0}), {0}, excluded.{0})", name));
        } else if (parent == "candidate") {
            changes.push_back(fmt::format(
                "{0} = (SELECT id FROM candidate WHERE id IN ({0}, excluded.{0})"
                " ORDER BY identity DESC, launch DESC, family DESC, params DESC LIMIT 1)",
                name));
        }
    }
    return fmt::format("ON CONFLICT DO UPDATE SET {}", fmt::join(changes, ", "));
}

/// Goes through rows of one table of the input and puts them into the output.
class TableCopy {
  public:
    /// `rows` ends the SELECT, `conflict` the INSERT.
    TableCopy(const Connection& input,
              const Connection& output,
              const std::string& table,
              const std::string& rows,
              const std::string& conflict)
        : columns_(columns_of(output, table)),
          select_(input,
                  fmt::format("SELECT {}, {} FROM {} {}",
                              id_of(output, table),
                              names_of(columns_),
                              table,
                              rows)),
          insert_(output,
                  fmt::format("{} {} RETURNING {}",
                              insert_sql(table, columns_),
                              conflict,
                              id_of(output, table))) {}

    /// Goes to the next row; false after the last one.
    bool next() { return select_.step(); }
    /// Begins with the rows that belong to that row of the parent.
    void select(std::int64_t parent) { select_.bind(1, parent); }
    /// Of the current row, in the input.
    [[nodiscard]] std::int64_t id() const { return select_.integer(0).value(); }
    [[nodiscard]] std::int64_t integer(const std::string& column) const {
        return select_.integer(place(column)).value();
    }
    [[nodiscard]] std::string text(const std::string& column) const {
        return select_.text(place(column)).value();
    }
    /// Puts the current row into the output; the id that it has there.
    std::int64_t insert(const Ids& ids) {
        int place = 0;
        for (const Column& column : columns_) {
            ++place;
            const auto parent = column.parent.empty() ? std::nullopt : select_.integer(place);
            if (parent) {
                insert_.bind(place, ids.at(column.parent).at(*parent));
            } else {
                insert_.bind_column(place, select_, place);
            }
        }
        insert_.step();
        const std::int64_t id = insert_.integer(0).value();
        while (insert_.step()) {
        }
        return id;
    }

  private:
    /// The column `id`, or a number for a table without one.
    static std::string id_of(const Connection& connection, const std::string& table) {
        Statement statement(connection, "SELECT name FROM pragma_table_info(?) WHERE name = 'id'");
        return statement.first(table).value_or("0");
    }
    [[nodiscard]] int place(const std::string& column) const {
        const auto found = std::ranges::find(columns_, column, &Column::name);
        return static_cast<int>(found - columns_.begin()) + 1;
    }

    std::vector<Column> columns_;
    Statement select_;
    Statement insert_;
};

/// What the output has of the kernel ?2 in cell ?1.
class SameKernel {
  public:
    explicit SameKernel(const Connection& output)
        : better_(output,
                  "SELECT 1 FROM candidate AS mine"
                  " CROSS JOIN candidate AS other"
                  " ON other.identity = mine.identity AND other.launch = mine.launch"
                  " CROSS JOIN measurement ON candidate_id = other.id AND cell_id = ?1"
                  " CROSS JOIN run AS other_run ON other_run.id = run_id"
                  " CROSS JOIN run AS my_run ON my_run.id = ?5"
                  " WHERE mine.id = ?2"
                  " AND (status = 'correctness', samples, measured_at, other_run.key) >="
                  " (?6 = 'correctness', ?4, ?3, my_run.key)"),
          compiled_since_(output,
                          "SELECT 1 FROM candidate AS mine"
                          " CROSS JOIN measurement ON cell_id = ?1"
                          " CROSS JOIN candidate AS other ON other.id = candidate_id"
                          " WHERE mine.id = ?2 AND mine.binary_hash IS NULL"
                          " AND other.compile_key = mine.compile_key"
                          " AND other.launch = mine.launch AND other.binary_hash IS NOT NULL"
                          " AND measured_at >= ?3"),
          forget_(output,
                  "DELETE FROM measurement WHERE id IN (SELECT measurement.id"
                  " FROM candidate AS mine"
                  " CROSS JOIN candidate AS other ON other.launch = mine.launch"
                  " AND other.identity IN (mine.identity, mine.compile_key)"
                  " CROSS JOIN measurement ON candidate_id = other.id AND cell_id = ?1"
                  " WHERE mine.id = ?2 AND (other.identity = mine.identity OR measured_at <= ?3))"
                  " RETURNING id") {}

    /// Whether its row says as much: of a wrong output, which outweighs all samples; then more
    /// samples, then later, then the run with the larger key; for a kernel that did not compile
    /// also one that compiled then or later.
    bool stays(std::int64_t cell,
               std::int64_t kernel,
               std::int64_t run,
               const std::string& measured_at,
               std::int64_t samples,
               const std::string& status) {
        return better_.first(cell, kernel, measured_at, samples, run, status).has_value() ||
               compiled_since_.first(cell, kernel, measured_at).has_value();
    }
    /// Deletes its row, and that of its earlier failed compilation; whether there was one.
    bool forget(std::int64_t cell, std::int64_t kernel, const std::string& measured_at) {
        return forget_.first(cell, kernel, measured_at).has_value();
    }

  private:
    Statement better_;
    Statement compiled_since_;
    Statement forget_;
};

MergeCounts copy_measurements(const Connection& input, const Connection& output, const Ids& ids) {
    TableCopy measurements(input, output, "measurement", "ORDER BY id", "");
    TableCopy samples(input, output, "sample", "WHERE measurement_id = ?1", "");
    SameKernel same_kernel(output);
    Statement undecide(output, "UPDATE cell SET decided_at = NULL WHERE id = ?");
    MergeCounts counts;
    while (measurements.next()) {
        const auto output_id = [&](const std::string& table) {
            return ids.at(table).at(measurements.integer(table + "_id"));
        };
        const std::int64_t cell = output_id("cell");
        const std::int64_t kernel = output_id("candidate");
        const std::string measured_at = measurements.text("measured_at");
        if (same_kernel.stays(cell,
                              kernel,
                              output_id("run"),
                              measured_at,
                              measurements.integer("samples"),
                              measurements.text("status"))) {
            ++counts.kept;
            continue;
        }
        ++(same_kernel.forget(cell, kernel, measured_at) ? counts.replaced : counts.added);
        undecide.run(cell);
        const Ids parent{{"measurement", {{measurements.id(), measurements.insert(ids)}}}};
        samples.select(measurements.id());
        while (samples.next()) {
            samples.insert(parent);
        }
    }
    return counts;
}

MergeCounts copy_all(const Connection& input, const Connection& output) {
    // One moment of a database to which a sweep may be adding.
    input.execute("BEGIN");
    Ids ids;
    for (const std::string table : kShared) {
        TableCopy rows(input, output, table, "", join_sql(columns_of(output, table)));
        while (rows.next()) {
            ids[table][rows.id()] = rows.insert(ids);
        }
    }
    const MergeCounts counts = copy_measurements(input, output, ids);
    input.execute("COMMIT");
    return counts;
}

/// Opens an input and reads all of it once.
std::unique_ptr<Connection> open_input(const std::filesystem::path& path) {
    auto input = std::make_unique<Connection>(open_database_snapshot(path));
    std::string found;
    std::optional<std::string> lost;
    blame_file(*input, [&] {
        found = Statement(*input, "PRAGMA integrity_check(1)").first().value_or("nothing found");
        lost = Statement(*input, "PRAGMA foreign_key_check").first();
    });
    if (found != "ok" || lost) {
        throw UsageError(
            fmt::format("the database {} is damaged: {}; try to save its rows with sqlite3 {} "
                        ".recover",
                        path.string(),
                        found != "ok" ? found : "rows that others need are lost from " + *lost,
                        path.string()));
    }
    return input;
}

std::vector<std::unique_ptr<Connection>> open_inputs(
    const std::filesystem::path& output, const std::vector<std::filesystem::path>& paths) {
    std::vector<std::unique_ptr<Connection>> inputs;
    for (const std::filesystem::path& path : paths) {
        std::error_code not_there;
        if (std::filesystem::equivalent(path, output, not_there)) {
            throw UsageError(fmt::format(
                "{} is the output and an input: name it once, as the output", path.string()));
        }
        inputs.push_back(open_input(path));
    }
    return inputs;
}

std::int64_t count(const Connection& connection, const std::string& what) {
    return Statement(connection, fmt::format("SELECT count({}) FROM measurement", what))
        .first_integer()
        .value();
}

}  // namespace

MergeResult merge(const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& inputs) {
    const auto opened = open_inputs(output, inputs);
    const Connection connection = open_database(output);
    MergeResult result;
    sqlite::Transaction transaction(connection);
    for (const auto& input : opened) {
        try {
            result.inputs.push_back(copy_all(*input, connection));
        } catch (const sqlite::SqlError& error) {
            throw UsageError(fmt::format("cannot merge {} into {}: {}: one of them is damaged",
                                         input->path().string(),
                                         output.string(),
                                         error.what()));
        }
    }
    transaction.commit();
    result.measurements = count(connection, "*");
    result.cells = count(connection, "DISTINCT cell_id");
    return result;
}

}  // namespace fdkbench
