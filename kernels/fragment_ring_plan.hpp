#pragma once

#include "kernels/common/fragment_ring_tiling.cuh"
#include "kernels/fragment_plan.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What the families share that bring their operands through a ring in shared memory
/// (kernels/common/fragment_ring.cuh).

/// The depths that are tried.
std::vector<ParamValue> ring_stages();

/// The rows of w a CTA may have, and the sizes of clusters, from which a family chooses.
struct RingCuts {
    std::vector<int> row_blocks;
    std::vector<int> clusters;
};

/// Why the ring is not worth trying or cannot run: what does not divide, SMs that would idle while
/// another cut keeps them busy, stages that hold nothing or are neither the most nor a few. About
/// so many registers a consumer thread.
std::optional<std::string> ring_skips(const Problem& problem,
                                      const FragmentRingTiling& ring,
                                      const RingCuts& cuts,
                                      int registers,
                                      const DeviceInfo& device);

// What the families share that multiply by wgmma.

/// Why the device cannot run them; nothing when it can.
std::optional<std::string> lacks_wgmma(const DeviceInfo& device);

FragmentRingTiling wgmma_tiling(const FragmentTiling& format, const Params& params);

std::vector<Axis> wgmma_axes(std::vector<ParamValue> unrolls, std::int64_t m);

/// As ring_skips(); registers beside those of sums.
std::optional<std::string> wgmma_skips(const Problem& problem,
                                       const FragmentRingTiling& ring,
                                       int registers,
                                       const DeviceInfo& device);

/// The launch of the family's kernel; plain weights come in panels, as x does.
LaunchPlan ring_plan(const std::string& family,
                     const Problem& problem,
                     const FragmentRingTiling& ring);

}  // namespace fdkbench
