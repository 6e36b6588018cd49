#include "tuner/problems.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

namespace fdkbench {

namespace {

std::optional<std::int64_t> number_from(std::string_view text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::int64_t number_or_k(const std::string& text, std::int64_t k, std::string_view meaning) {
    if (text == "k") {
        return k;
    }
    const auto number = number_from(text);
    if (!number) {
        throw UsageError(fmt::format("'{}' is no number: write {}", text, meaning));
    }
    return *number;
}

/// Of "16x4096x4096".
std::vector<std::optional<std::int64_t>> numbers_in(const std::string& text) {
    std::vector<std::optional<std::int64_t>> parts;
    std::string_view rest = text;
    for (std::size_t end = rest.find('x'); end != rest.npos; end = rest.find('x')) {
        parts.push_back(number_from(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
    }
    parts.push_back(number_from(rest));
    return parts;
}

Shape shape_from(const std::string& text) {
    const std::vector<std::optional<std::int64_t>> parts = numbers_in(text);
    if (parts.size() != 3 || !parts[0] || !parts[1] || !parts[2]) {
        throw UsageError(
            fmt::format("--shape '{}' is no shape: write MxNxK, for example 16x4096x4096", text));
    }
    return {*parts[0], *parts[1], *parts[2]};
}

std::vector<Shape> shapes_of(const ProblemAxes& axes) {
    std::vector<Shape> shapes;
    for (const std::int64_t k : axes.k) {
        for (const std::string& n : axes.n) {
            for (const std::int64_t m : axes.m) {
                shapes.push_back({m, number_or_k(n, k, "-n 4096, or -n k for n = k"), k});
            }
        }
    }
    for (const std::string& shape : axes.shapes) {
        shapes.push_back(shape_from(shape));
    }
    return shapes;
}

std::vector<WeightFormat> formats_of(const ProblemAxes& axes, std::int64_t k) {
    std::vector<WeightFormat> formats;
    for (const int bits : axes.bits) {
        if (bits == 16) {
            formats.push_back({16, 0});
            continue;
        }
        for (const std::string& size : axes.group_size) {
            formats.push_back({bits, number_or_k(size, k, "-g 64, or -g k for one scale a row")});
        }
    }
    return formats;
}

/// The worker keeps the weights of the last cell: m varies fastest.
bool cell_order(const Problem& a, const Problem& b) {
    const auto key = [](const Problem& p) {
        return std::tuple(
            p.type, p.shape.k, p.shape.n, p.format.bits, p.format.group_size, p.shape.m);
    };
    return key(a) < key(b);
}

}  // namespace

std::vector<Problem> problems_from(const ProblemAxes& axes) {
    std::vector<Problem> problems;
    std::set<Problem> seen;
    for (const ElementType type : axes.types) {
        for (const Shape& shape : shapes_of(axes)) {
            for (const WeightFormat& format : formats_of(axes, shape.k)) {
                const Problem problem{shape, format, type};
                validate(problem);
                if (seen.insert(problem).second) {
                    problems.push_back(problem);
                }
            }
        }
    }
    if (problems.empty()) {
        throw UsageError(
            "there is nothing to sweep: give at least one value for each of -m, -n, -k, "
            "--group-size, --bits and --type, or a --shape MxNxK");
    }
    return problems;
}

Shape matrix_from(const std::string& option, const std::string& text) {
    const std::vector<std::optional<std::int64_t>> parts = numbers_in(text);
    if (parts.size() != 2 || !parts[0] || !parts[1]) {
        throw UsageError(
            fmt::format("{} '{}' is no matrix: write NxK, for example 5120x5120", option, text));
    }
    return {0, *parts[0], *parts[1]};
}

std::vector<Problem> in_plan_order(std::vector<Problem> problems) {
    std::sort(problems.begin(), problems.end(), cell_order);
    problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
    return problems;
}

}  // namespace fdkbench
