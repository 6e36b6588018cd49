#pragma once

#include "src/core/arithmetic.hpp"
#include "src/core/candidate.hpp"
#include "src/core/device_info.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// One tunable parameter of a family.
struct Axis {
    std::string name;
    std::vector<ParamValue> values;  ///< best guess first: `--quick` stays within one step of it
};

/// A kernel source with parameters left open. Defined in `kernels/<name>.cpp` beside its source
/// `kernels/<name>.cu` (device) or `kernels/<name>.kernel.cpp` (host) by one namespace-scope
/// `const RegisterFamily`.
struct Family {
    std::string name;     ///< "lut_mv"
    std::string backend;  ///< "cuda" or "host"
    std::string source;   ///< "kernels/lut_mv.cu"
    std::string summary;  ///< one line for people
    Layout layout = Layout::kCanonical;
    /// For what no other family can do: where one that is no fallback claims the problem, only
    /// points within one step of the first values are tried.
    bool fallback = false;

    /// Why the family cannot do the problem on the device at all; nothing when it claims it.
    std::optional<std::string> (*declines)(const Problem&, const DeviceInfo&) = nullptr;
    /// The parameters worth trying for the problem.
    std::vector<Axis> (*axes)(const Problem&, const DeviceInfo&) = nullptr;
    /// Why one point is skipped ("tile_n 128 needs more shared memory than …"); nothing when valid.
    std::optional<std::string> (*skips)(const Problem&, const Params&, const DeviceInfo&) = nullptr;
    /// How to launch a valid point. Where it says how the launch follows m (its tiling) and has no
    /// step of the library, the order in which a row of y is summed up is fixed when the kernel is
    /// compiled: it depends neither on m nor on the row's place among the rows of x.
    LaunchPlan (*plan)(const Problem&, const Params&, const DeviceInfo&) = nullptr;
};

/// Options that fix the problem in a kernel source. m stays a run-time argument, so that one binary
/// serves every m: -DFDK_N= -DFDK_K= -DFDK_BITS= -DFDK_GROUP_SIZE= and -DFDK_BF16=1 or
/// -DFDK_FP16=1.
std::vector<std::string> problem_defines(const Problem& problem);

/// Why a family for "cuda" cannot run on the device whatever the problem: they all need compute
/// capability 8.0.
std::optional<std::string> declines_device(const DeviceInfo& device);

/// Why a CTA cannot have so many bytes of shared memory on the device; nothing when it can.
std::optional<std::string> exceeds_shared(std::int64_t bytes, const DeviceInfo& device);

/// Why threads that need about so many registers do not fit: `limit` are left for each of the CTA's
/// `threads`. Nothing when they do.
std::optional<std::string> exceeds_registers(std::int64_t needed,
                                             std::int64_t threads,
                                             std::int64_t limit);

/// The best guess: the first value of every axis.
Params first_values(const std::vector<Axis>& axes);

}  // namespace fdkbench
