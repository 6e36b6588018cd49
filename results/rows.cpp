#include "results/rows.hpp"

#include "src/core/error.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace fdkbench {
namespace {

UsageError damaged(const std::string& column, const std::string& why) {
    return UsageError(
        fmt::format("the database is damaged: a row's '{}' {}: give another --db", column, why));
}

}  // namespace

Rows::Rows(QueryResult result) : result_(std::move(result)) {
    for (std::size_t column = 0; column < result_.columns.size(); ++column) {
        columns_[result_.columns[column]] = column;
    }
}

const QueryResult::Value& Rows::value(std::size_t row, const std::string& column) const {
    const auto found = columns_.find(column);
    if (row >= size() || found == columns_.end()) {
        throw damaged(column, "is not there");
    }
    return result_.rows[row][found->second];
}

template <typename Read>
auto Rows::parsed(std::size_t row, const std::string& column, Read read) const {
    const std::string word = text(row, column);
    try {
        return read(word);
    } catch (const Json::exception&) {
        throw damaged(column, "is not what fdkbench writes there");
    } catch (const std::invalid_argument&) {
        throw damaged(column, "is not what fdkbench writes there");
    }
}

std::string Rows::text(std::size_t row, const std::string& column) const {
    return value(row, column).text.value_or("");
}

std::optional<double> Rows::number(std::size_t row, const std::string& column) const {
    const std::optional<std::string>& text = value(row, column).text;
    return text ? std::optional(std::strtod(text->c_str(), nullptr)) : std::nullopt;
}

double Rows::real(std::size_t row, const std::string& column) const {
    if (const auto found = number(row, column)) {
        return *found;
    }
    throw damaged(column, "is missing");
}

std::int64_t Rows::integer(std::size_t row, const std::string& column) const {
    return std::strtoll(text(row, column).c_str(), nullptr, 10);
}

Problem Rows::problem(std::size_t row) const {
    return {{integer(row, "m"), integer(row, "n"), integer(row, "k")},
            {static_cast<int>(integer(row, "bits")), integer(row, "group_size")},
            parsed(row, "type", element_type_from)};
}

Params Rows::params(std::size_t row) const {
    return parsed(
        row, "params", [](const std::string& text) { return Json::parse(text).get<Params>(); });
}

LaunchPlan Rows::plan(std::size_t row) const {
    return parsed(
        row, "launch", [](const std::string& text) { return Json::parse(text).get<LaunchPlan>(); });
}

CandidateStatus Rows::status(std::size_t row) const {
    return parsed(row, "status", candidate_status_from);
}

Layout Rows::layout(std::size_t row) const {
    return parsed(row, "layout", layout_from);
}

std::vector<Sample> samples_from(const Rows& rows) {
    std::vector<Sample> samples;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Sample& sample = samples.emplace_back();
        sample.time_us = rows.real(row, "time_us");
        sample.baseline_before_us = rows.real(row, "baseline_before_us");
        sample.baseline_after_us = rows.real(row, "baseline_after_us");
        sample.process = static_cast<int>(rows.integer(row, "process"));
        sample.sm_clock_mhz = rows.number(row, "sm_clock_mhz");
    }
    return samples;
}

}  // namespace fdkbench
