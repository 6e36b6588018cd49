#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace fdkbench {

/// One launch of a candidate.
struct LaunchStep {
    enum class Kind {
        kKernel,  ///< a function of the compiled binary
        kMatmul,  ///< the library's 16-bit matmul of x with weights [n,k] taken from the workspace
    };
    Kind kind = Kind::kKernel;
    std::string kernel;                           ///< exported (extern "C") name; empty for kMatmul
    std::array<std::uint32_t, 3> grid{1, 1, 1};   ///< CTAs; on the host grid[0] = parts of the work
    std::array<std::uint32_t, 3> block{1, 1, 1};  ///< threads; on the host block[0] = threads
    std::uint32_t cluster = 1;                    ///< CTAs per cluster along x
    std::uint32_t shared_bytes = 0;               ///< dynamic shared memory
    // NOLINTNEXTLINE(modernize-use-nullptr): its code has no pointer.
    auto operator<=>(const LaunchStep&) const = default;
};

/// How to run a candidate: its steps in order, on one stream.
struct LaunchPlan {
    std::vector<LaunchStep> steps;
    /// Device memory the steps share. Zeroed once when allocated; a kernel that counts in it must
    /// leave its counters zero again.
    std::uint64_t workspace_bytes = 0;
    auto operator<=>(const LaunchPlan&) const = default;
};

}  // namespace fdkbench
