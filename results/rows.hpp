#pragma once

#include "results/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace fdkbench {

/// The rows of a query with their columns by name; an unknown column throws std::out_of_range.
class Rows {
  public:
    explicit Rows(QueryResult result);
    [[nodiscard]] std::size_t size() const { return result_.rows.size(); }
    /// "" for NULL.
    [[nodiscard]] std::string text(std::size_t row, const std::string& column) const;
    /// Nothing for NULL.
    [[nodiscard]] std::optional<double> number(std::size_t row, const std::string& column) const;
    /// Of a column that is never NULL.
    [[nodiscard]] std::int64_t integer(std::size_t row, const std::string& column) const;
    /// From the columns m, n, k, bits, group_size and type.
    [[nodiscard]] Problem problem(std::size_t row) const;

  private:
    QueryResult result_;
    std::map<std::string, std::size_t> columns_;
};

}  // namespace fdkbench
