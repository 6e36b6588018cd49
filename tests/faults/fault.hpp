#pragma once

#include "kernels/family.hpp"
#include "src/core/candidate_status.hpp"

#include <array>
#include <string_view>

namespace fdkbench::test {

/// A value of axis `fault` of the families `faulty` (cuda) and `host_faulty`: what is wrong with
/// the kernel, and what a sweep must make of it.
struct Fault {
    const char* name;
    CandidateStatus status;
    const char* on_host;  ///< part of the row's message there; null: only the other backend has it
    const char* on_cuda;
    int lost_workers;  ///< how many it may cost
};

inline constexpr std::array kFaults{
    Fault{"writes_far_away", CandidateStatus::kRuntime, "signal 11", "cudaError", 1},
    Fault{"writes_behind", CandidateStatus::kCorrectness, "behind the output", "behind the", 0},
    Fault{"traps", CandidateStatus::kRuntime, "died: signal", "cudaError", 1},
    Fault{"never_ends", CandidateStatus::kTimeout, "no answer within", "no answer within", 1},
    Fault{"leaves_a_gap", CandidateStatus::kCorrectness, "unwritten", "unwritten", 0},
    Fault{"wrong_for_even_m", CandidateStatus::kCorrectness, "with m = 2", "with m = 2", 0},
    Fault{"wrong_every_other_time", CandidateStatus::kCorrectness, "second run", "second run", 0},
    Fault{"differs_within_tolerance", CandidateStatus::kCorrect, "", "", 0},
    Fault{"spills", CandidateStatus::kCorrect, nullptr, "", 0},
    Fault{"wants_shared_memory", CandidateStatus::kConstraints, nullptr, "shared memory", 0},
    Fault{"wants_memory", CandidateStatus::kConstraints, "free", "free", 0},
    Fault{"unknown_name", CandidateStatus::kCompile, "no_such_function", "no_such_function", 0},
    Fault{"compiles_for_minutes", CandidateStatus::kCompile, "--compile-timeout", "--compile-", 0},
    Fault{"traps_in_a_block", CandidateStatus::kRuntime, "died: signal", "cudaError", 1},
    // The first time might have been the machine's fault.
    Fault{"hangs_in_a_block", CandidateStatus::kTimeout, "no answer within", "no answer", 2},
};

/// Part of the message on a backend; null when it does not have the fault.
constexpr const char* message_on(const Fault& fault, std::string_view backend) {
    return backend == "host" ? fault.on_host : fault.on_cuda;
}

/// Axis `fault` of the backend's family.
inline Axis fault_axis(std::string_view backend) {
    Axis axis{"fault", {}};
    for (const Fault& fault : kFaults) {
        if (message_on(fault, backend) != nullptr) {
            axis.values.emplace_back(fault.name);
        }
    }
    return axis;
}

/// What the workspace holds between launches, and with it what no machine has.
inline std::uint64_t workspace_bytes(const Params& params) {
    return params.word("fault") == "wants_memory" ? std::uint64_t{1} << 50 : 64;
}

}  // namespace fdkbench::test
