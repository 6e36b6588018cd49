#pragma once

#include "src/core/problem.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fdkbench {

/// The lists of a sweep as the user wrote them; their product is swept.
struct ProblemAxes {
    std::vector<std::int64_t> m;
    std::vector<std::string> n;  ///< numbers, or "k" for n = k
    std::vector<std::int64_t> k;
    std::vector<std::string> group_size;  ///< numbers, or "k" for one group; 16 bits ignore them
    std::vector<int> bits;
    std::vector<ElementType> types;
    std::vector<std::string> shapes;  ///< "MxNxK", beside the product of m, n and k
};

/// Every shape in every format and type, valid and without duplicates, in the order of the lists.
/// Throws UsageError as validate() does, for a word that is no number, or when nothing is left.
std::vector<Problem> problems_from(const ProblemAxes& axes);

/// n and k of "NxK"; m is 0. Throws UsageError, naming the option, for anything else.
Shape matrix_from(const std::string& option, const std::string& text);

/// The problems without duplicates in the order in which a sweep measures them: m varies fastest,
/// so that neighbours have the same weights.
std::vector<Problem> in_plan_order(std::vector<Problem> problems);

}  // namespace fdkbench
