#pragma once

#include "results/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// The rows of a query with their columns by name. Throws UsageError for what no writer puts into
/// such a column, and for a row or column that is not there: the file is damaged or was edited.
class Rows {
  public:
    explicit Rows(QueryResult result);
    [[nodiscard]] std::size_t size() const { return result_.rows.size(); }
    /// "" for NULL.
    [[nodiscard]] std::string text(std::size_t row, const std::string& column) const;
    /// Nothing for NULL.
    [[nodiscard]] std::optional<double> number(std::size_t row, const std::string& column) const;
    /// Of a column that is never NULL.
    [[nodiscard]] double real(std::size_t row, const std::string& column) const;
    [[nodiscard]] std::int64_t integer(std::size_t row, const std::string& column) const;
    /// From the columns m, n, k, bits, group_size and type.
    [[nodiscard]] Problem problem(std::size_t row) const;
    /// From the columns params, launch and status.
    [[nodiscard]] Params params(std::size_t row) const;
    [[nodiscard]] LaunchPlan plan(std::size_t row) const;
    [[nodiscard]] CandidateStatus status(std::size_t row) const;
    /// From the column layout.
    [[nodiscard]] Layout layout(std::size_t row) const;

  private:
    [[nodiscard]] const QueryResult::Value& value(std::size_t row, const std::string& column) const;
    /// What `read` makes of a column's text.
    template <typename Read>
    [[nodiscard]] auto parsed(std::size_t row, const std::string& column, Read read) const;

    QueryResult result_;
    std::map<std::string, std::size_t> columns_;
};

/// Of rows of table `sample`.
std::vector<Sample> samples_from(const Rows& rows);

}  // namespace fdkbench
