#pragma once

#include "results/store.hpp"

#include <string>

namespace fdkbench {

/// A header row and one line per row, quoted as in RFC 4180; NULL is an empty field.
std::string to_csv(const QueryResult& result);

/// An array with one object per row; NULL and numbers that JSON does not have are null.
std::string to_json_text(const QueryResult& result);

/// Aligned columns for people: numbers to the right and rounded, line breaks as blanks.
std::string to_table(const QueryResult& result);

}  // namespace fdkbench
