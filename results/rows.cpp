#include "results/rows.hpp"

#include <cstdlib>

namespace fdkbench {

Rows::Rows(QueryResult result) : result_(std::move(result)) {
    for (std::size_t column = 0; column < result_.columns.size(); ++column) {
        columns_[result_.columns[column]] = column;
    }
}

std::string Rows::text(std::size_t row, const std::string& column) const {
    return result_.rows[row][columns_.at(column)].text.value_or("");
}

std::optional<double> Rows::number(std::size_t row, const std::string& column) const {
    const std::optional<std::string>& text = result_.rows[row][columns_.at(column)].text;
    return text ? std::optional(std::strtod(text->c_str(), nullptr)) : std::nullopt;
}

std::int64_t Rows::integer(std::size_t row, const std::string& column) const {
    return std::strtoll(text(row, column).c_str(), nullptr, 10);
}

Problem Rows::problem(std::size_t row) const {
    return {{integer(row, "m"), integer(row, "n"), integer(row, "k")},
            {static_cast<int>(integer(row, "bits")), integer(row, "group_size")},
            element_type_from(text(row, "type"))};
}

}  // namespace fdkbench
