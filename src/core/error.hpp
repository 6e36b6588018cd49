#pragma once

#include "src/core/candidate_status.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace fdkbench {

/// Exit codes of every program of the project.
enum class ExitCode { kDone = 0, kGateFailed = 1, kUsage = 2, kEnvironment = 3, kInternal = 4 };

/// A fault that ends the command. The message is one line: what failed, the offending value, what
/// is allowed, and what to type next. Control characters, which an offending value may hold, become
/// blanks.
class Error : public std::runtime_error {
  public:
    Error(ExitCode code, const std::string& message)
        : std::runtime_error(one_line(message)), code_(code) {}
    [[nodiscard]] ExitCode code() const { return code_; }

  private:
    static std::string one_line(std::string message) {
        std::replace_if(
            message.begin(),
            message.end(),
            [](unsigned char c) { return c < 0x20 || c == 0x7f; },
            ' ');
        return message;
    }

    ExitCode code_;
};

/// The user asked for something that cannot be (exit code 2).
class UsageError : public Error {
  public:
    explicit UsageError(const std::string& message) : Error(ExitCode::kUsage, message) {}
};

/// The machine lacks something: device, compiler, memory, writable disk (exit code 3).
class EnvironmentError : public Error {
  public:
    explicit EnvironmentError(const std::string& message)
        : Error(ExitCode::kEnvironment, message) {}
};

/// One candidate failed; becomes a row with this status and message, never an abort.
class CandidateError : public std::runtime_error {
  public:
    CandidateError(CandidateStatus status, const std::string& message)
        : std::runtime_error(message), status_(status) {}
    [[nodiscard]] CandidateStatus status() const { return status_; }

  private:
    CandidateStatus status_;
};

}  // namespace fdkbench
