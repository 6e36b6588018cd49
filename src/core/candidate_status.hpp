#pragma once

#include <string_view>

namespace fdkbench {

/// How a candidate ended, in the words of the autotuning community's T4 schema, plus `throttled`.
enum class CandidateStatus {
    kCorrect,
    kCompile,
    kRuntime,
    kTimeout,
    kCorrectness,
    kConstraints,
    kThrottled,
};

/// "correct", "compile", …: the spelling in the database and in every table.
std::string_view to_string(CandidateStatus status);

/// Inverse of to_string; throws std::invalid_argument naming the unknown word.
CandidateStatus candidate_status_from(std::string_view word);

}  // namespace fdkbench
