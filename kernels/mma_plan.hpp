#pragma once

#include "kernels/common/mma_tiling.cuh"
#include "kernels/family.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What the families on tensor cores share, beside kernels/common/mma_tile.cuh.

/// What a family's decoder and its way to scale leave open in a tiling.
struct MmaDecoding {
    bool scale_first = false;
    int table_bytes = 0;
};

/// Axes `row_tiles`, `m_tile`, `row_warps`, `k_warps`, `unroll` and `stages` (MmaTiling), for a
/// best guess that decodes in the way `best`.
std::vector<Axis> mma_axes(const Problem& problem, const DeviceInfo& device, MmaDecoding best);

/// The tiling that the parameters of those axes fix.
MmaTiling mma_tiling(const Problem& problem, const Params& params, MmaDecoding decoding);

/// Why the tiling is not worth trying or cannot run; nothing when it is valid.
std::optional<std::string> mma_skips(const MmaTiling& tiling,
                                     const Problem& problem,
                                     const DeviceInfo& device);

/// One launch of `family`, the kernel of the same name.
LaunchPlan mma_plan(const std::string& family, const MmaTiling& tiling, const Problem& problem);

}  // namespace fdkbench
