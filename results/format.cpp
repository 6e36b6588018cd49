#include "results/format.hpp"

#include "src/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fdkbench {

namespace {

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c;
        if (c == '"') {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string json_string(const std::string& text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_value(const QueryResult::Value& value) {
    if (!value.text) {
        return "null";
    }
    if (!value.numeric) {
        return json_string(*value.text);
    }
    return std::isfinite(std::strtod(value.text->c_str(), nullptr)) ? *value.text : "null";
}

/// Integers as they are, other numbers to five digits without an exponent where that is short.
std::string rounded(const std::string& text) {
    if (text.find_first_of(".eE") == std::string::npos) {
        return text;
    }
    const double number = std::strtod(text.c_str(), nullptr);
    return std::abs(number) < 1e5 ? fmt::format("{:.5g}", number) : fmt::format("{:.0f}", number);
}

std::string table_field(const QueryResult::Value& value) {
    if (!value.text) {
        return "";
    }
    if (value.numeric) {
        return rounded(*value.text);
    }
    std::string text = *value.text;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return text;
}

/// Characters of UTF-8 text.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string table_line(const std::vector<std::string>& fields,
                       const std::vector<std::size_t>& widths,
                       const std::vector<bool>& right) {
    std::string line;
    for (std::size_t column = 0; column < fields.size(); ++column) {
        const std::string padding(widths[column] - width(fields[column]), ' ');
        line += column == 0 ? "" : "  ";
        line += right[column] ? padding + fields[column] : fields[column] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + '\n';
}

}  // namespace

std::string to_csv(const QueryResult& result) {
    std::string text;
    const auto add_line = [&text](const auto& items, auto field) {
        for (std::size_t column = 0; column < items.size(); ++column) {
            text += column == 0 ? "" : ",";
            text += csv_field(field(items[column]));
        }
        text += '\n';
    };
    add_line(result.columns, [](const std::string& name) { return name; });
    for (const auto& row : result.rows) {
        add_line(row, [](const QueryResult::Value& value) { return value.text.value_or(""); });
    }
    return text;
}

std::string to_json_text(const QueryResult& result) {
    std::string text = "[";
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        text += row == 0 ? "\n  {" : ",\n  {";
        for (std::size_t column = 0; column < result.columns.size(); ++column) {
            text += fmt::format("{}{}: {}",
                                column == 0 ? "" : ", ",
                                json_string(result.columns[column]),
                                json_value(result.rows[row][column]));
        }
        text += '}';
    }
    return text + "\n]\n";
}

std::string to_table(const QueryResult& result) {
    const std::size_t columns = result.columns.size();
    std::vector<std::vector<std::string>> lines{result.columns};
    std::vector<bool> right(columns, false);
    for (const auto& row : result.rows) {
        std::vector<std::string>& line = lines.emplace_back();
        for (std::size_t column = 0; column < columns; ++column) {
            line.push_back(table_field(row[column]));
            right[column] = right[column] || row[column].numeric;
        }
    }
    std::vector<std::size_t> widths(columns, 0);
    for (const auto& line : lines) {
        for (std::size_t column = 0; column < columns; ++column) {
            widths[column] = std::max(widths[column], width(line[column]));
        }
    }
    std::string text;
    for (const auto& line : lines) {
        text += table_line(line, widths, right);
    }
    return text;
}

}  // namespace fdkbench
