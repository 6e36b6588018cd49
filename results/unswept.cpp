#include "results/unswept.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace fdkbench {

namespace {

constexpr std::int64_t kRound = 256;
/// Beside a single matrix.
constexpr double kBeside = 1.5;

std::int64_t rounded(double extent, std::int64_t step) {
    return std::max<std::int64_t>(1, std::llround(extent / static_cast<double>(step))) * step;
}

double weights(const Problem& matrix) {
    return static_cast<double>(matrix.shape.n) * static_cast<double>(matrix.shape.k);
}

/// n and k between the two neighbours that are furthest apart.
std::pair<double, double> between(const std::vector<Problem>& swept) {
    const Problem* low = &swept.front();
    const Problem* high = low;
    for (std::size_t i = 0; i + 1 < swept.size(); ++i) {
        if (weights(swept[i + 1]) / weights(swept[i]) > weights(*high) / weights(*low)) {
            low = &swept[i];
            high = &swept[i + 1];
        }
    }
    if (low == high) {
        return {kBeside * static_cast<double>(low->shape.n),
                kBeside * static_cast<double>(low->shape.k)};
    }
    const auto middle = [](std::int64_t a, std::int64_t b) {
        return std::sqrt(static_cast<double>(a) * static_cast<double>(b));
    };
    return {middle(low->shape.n, high->shape.n), middle(low->shape.k, high->shape.k)};
}

}  // namespace

std::vector<std::int64_t> common_m(const std::map<std::int64_t, int>& matrices) {
    const bool several =
        std::ranges::any_of(matrices, [](const auto& of_m) { return of_m.second > 1; });
    std::vector<std::int64_t> found;
    for (const auto& [m, count] : matrices) {
        if (count > 1 || !several) {
            found.push_back(m);
        }
    }
    return found;
}

std::vector<std::int64_t> middles(const std::vector<std::int64_t>& swept) {
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i + 1 < swept.size(); ++i) {
        const auto middle = static_cast<std::int64_t>(std::llround(
            std::sqrt(static_cast<double>(swept[i]) * static_cast<double>(swept[i + 1]))));
        if (middle > swept[i] && middle < swept[i + 1]) {
            found.push_back(middle);
        }
    }
    return found;
}

Problem unswept_matrix(std::vector<Problem> swept) {
    std::ranges::stable_sort(swept, {}, weights);
    const auto [n, k] = between(swept);
    Problem matrix = matrix_of(swept.front());
    const std::int64_t group = std::max<std::int64_t>(1, matrix.format.group_size);
    const auto is_swept = [&](const Problem& other) {
        return other.shape.n == matrix.shape.n && other.shape.k == matrix.shape.k;
    };
    for (std::int64_t step = kRound; step > 0; step /= 2) {
        matrix.shape.n = rounded(n, step);
        matrix.shape.k = rounded(k, step % group == 0 ? step : group);
        if (!std::ranges::any_of(swept, is_swept)) {
            return matrix;
        }
    }
    while (std::ranges::any_of(swept, is_swept)) {
        ++matrix.shape.n;
    }
    return matrix;
}

std::vector<Problem> unswept_problems(const DispatchTable& table) {
    struct Format {
        std::map<Problem, std::set<std::int64_t>> swept_m;  // by matrix
        std::map<std::int64_t, int> matrices;               // by m
    };
    std::map<Problem, Format> formats;  // by problem without extents
    for (const TableEntry& entry : table.entries) {
        Format& format = formats[{{}, entry.problem.format, entry.problem.type}];
        format.swept_m[matrix_of(entry.problem)].insert(entry.problem.shape.m);
        ++format.matrices[entry.problem.shape.m];
    }
    std::vector<Problem> problems;
    const auto add = [&](Problem matrix, const std::vector<std::int64_t>& all_m) {
        for (const std::int64_t m : all_m) {
            matrix.shape.m = m;
            problems.push_back(matrix);
        }
    };
    for (const auto& [problem, format] : formats) {
        const std::vector<std::int64_t> common = common_m(format.matrices);
        std::vector<Problem> matrices;
        for (const auto& [matrix, swept_m] : format.swept_m) {
            std::vector<std::int64_t> own;
            std::ranges::set_intersection(common, swept_m, std::back_inserter(own));
            std::vector<std::int64_t> between = middles(own);
            std::erase_if(between,
                          [&own_m = swept_m](std::int64_t m) { return own_m.contains(m); });
            add(matrix, between);
            matrices.push_back(matrix);
        }
        add(unswept_matrix(matrices), common);
    }
    return problems;
}

}  // namespace fdkbench
