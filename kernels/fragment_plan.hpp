#pragma once

#include "kernels/common/fragment_tiling.cuh"
#include "kernels/family.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What the families share whose weights come in blocks of 16 rows: those for the fragment layout,
/// and dense_wgmma.

/// The problem cut into chunks of the parameter `unroll` blocks.
FragmentTiling fragment_tiling(const Problem& problem, const Params& params);

/// Why CTAs of so many threads cannot run: shared memory, or about so many registers a thread.
std::optional<std::string> fragment_exceeds(const DeviceInfo& device,
                                            int threads,
                                            int registers,
                                            int shared_bytes);

using Skips = decltype(Family::skips);

/// The first point in the order of `axes` that `skips` lets pass; nothing when there is none.
std::optional<Params> first_valid(const std::vector<Axis>& axes,
                                  Skips skips,
                                  const Problem& problem,
                                  const DeviceInfo& device);

/// Why a family has no point to try for the problem: there are too many tokens, or `skips` lets no
/// point of `all_axes` pass (then for the first as an example); nothing when there is one.
std::optional<std::string> nothing_to_try(const Problem& problem,
                                          const DeviceInfo& device,
                                          std::vector<Axis> (*all_axes)(const Problem&),
                                          Skips skips);

/// The same, or why no family for the fragment layout can do it on the device.
std::optional<std::string> fragment_declines(const Problem& problem,
                                             const DeviceInfo& device,
                                             std::vector<Axis> (*all_axes)(const Problem&),
                                             Skips skips);

/// Whether fragment_wgmma can do the problem on the device.
bool wgmma_takes(const Problem& problem, const DeviceInfo& device);

/// The axes with the values of first_valid() in front, where they are the best guess.
std::vector<Axis> best_first(std::vector<Axis> axes,
                             Skips skips,
                             const Problem& problem,
                             const DeviceInfo& device);

/// One launch of `ctas` × (m ÷ m_tile, rounded up) CTAs.
LaunchPlan fragment_plan(const std::string& family,
                         const Problem& problem,
                         std::int64_t ctas,
                         int m_tile,
                         int threads,
                         int shared_bytes);

// What the families share whose CTAs are FragmentMmaTiling's warps.

/// m_tile, row_tiles, row_warps and k_warps of the parameters; no clusters.
FragmentMmaTiling fragment_mma_tiling(const Problem& problem, const Params& params);

/// The least power of two that takes all tokens, at most `most`.
std::int64_t fragment_widest_tile(const Problem& problem, std::uint64_t most);

/// Values of the axes m_tile and k_warps.
std::vector<ParamValue> fragment_m_tiles(std::int64_t widest);
std::vector<ParamValue> fragment_k_warps();

/// Why so many warps are too many or too few; nothing when they are not.
std::optional<std::string> fragment_warps_skip(const FragmentMmaTiling& cut,
                                               const DeviceInfo& device);

/// Why m_tile is too narrow where twice as many fit.
std::string fragment_wider_fits(const FragmentMmaTiling& cut);

/// One launch of whole clusters.
LaunchPlan fragment_mma_plan(const std::string& family,
                             const Problem& problem,
                             const FragmentMmaTiling& cut,
                             int shared_bytes,
                             const DeviceInfo& device);

}  // namespace fdkbench
