#include "src/core/candidate_status.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace fdkbench {
namespace {

constexpr std::array<std::string_view, 7> kWords = {
    "correct", "compile", "runtime", "timeout", "correctness", "constraints", "throttled"};

}  // namespace

std::string_view to_string(CandidateStatus status) {
    return kWords.at(static_cast<std::size_t>(status));
}

CandidateStatus candidate_status_from(std::string_view word) {
    for (std::size_t i = 0; i < kWords.size(); ++i) {
        if (kWords[i] == word) {
            return static_cast<CandidateStatus>(i);
        }
    }
    throw std::invalid_argument(
        fmt::format("unknown status '{}': not one of {}", word, fmt::join(kWords, ", ")));
}

}  // namespace fdkbench
