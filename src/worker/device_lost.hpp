#pragma once

#include "src/core/backend.hpp"
#include "src/core/error.hpp"

namespace fdkbench {

/// A candidate's fault that was noticed while waiting for the device: the device is unusable from
/// then on, and the process must end.
class DeviceLost : public CandidateError {
  public:
    using CandidateError::CandidateError;
};

/// Calls `wait`, which waits for the device; a CandidateError from it becomes DeviceLost.
template <typename Wait>
auto waiting(Wait wait) {
    try {
        return wait();
    } catch (const CandidateError& error) {
        throw DeviceLost(error.status(), error.what());
    }
}

}  // namespace fdkbench
