#pragma once

#include "src/core/arithmetic.hpp"
#include "src/core/device_info.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fdkbench {

/// An operand as a kernel's tensor copies see it: what cuTensorMapEncodeTiled makes a CUtensorMap
/// from. Sizes in elements, the dimension that varies fastest first.
struct TensorMap {
    enum class Operand { kX, kW, kScales };
    Operand operand = Operand::kX;
    std::uint32_t element_bytes = 4;     ///< 2 (16-bit integers) or 4 (32-bit integers)
    std::vector<std::uint64_t> size;     ///< of x, the second is m of the launch
    std::vector<std::uint64_t> strides;  ///< bytes, of all dimensions but the first
    std::vector<std::uint32_t> box;      ///< what one copy takes
    bool swizzled = false;               ///< 128-byte swizzle in shared memory; else as it lies
    /// Of x, where not 0: the box follows m (fit_box()), whose second size is then m, rounded up to
    /// a multiple of this, but at most the rows of a tile.
    std::uint32_t row_step = 0;
    /// Of such a map, where not 0: the third size of a box with all rows of a tile; it is 1 of
    /// others.
    std::uint32_t whole_depth = 0;
    // NOLINTNEXTLINE(modernize-use-nullptr): its code has no pointer.
    auto operator<=>(const TensorMap&) const = default;
};

/// "x", "w" or "scales".
std::string_view to_string(TensorMap::Operand operand);
/// Inverse of to_string; throws std::invalid_argument.
TensorMap::Operand operand_from(std::string_view word);

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
    /// Every CTA executes griddepcontrol.wait before it touches what another launch may write or
    /// still read: x, y, workspace. Weights, scales and codebook never change.
    bool waits_for_predecessor = false;
    /// Parameters of the kernel (CUtensorMap by value) in front of the pointers.
    std::vector<TensorMap> tensor_maps;
    /// Where not 0, that of `grid` for one tile of x: it grows with their number (RowTiling).
    std::array<std::uint32_t, 3> grid_per_tile{};
    // NOLINTNEXTLINE(modernize-use-nullptr): its code has no pointer.
    auto operator<=>(const LaunchStep&) const = default;
};

/// How a plan follows m, the rows of x. Work grows with their tiles, m ÷ m_tile rounded up.
struct RowTiling {
    static constexpr std::int64_t kAnyNumber = std::int64_t{1} << 24U;  ///< the greatest m there is
    std::int64_t m_tile = 1;                     ///< rows that one pass over the weights serves
    std::int64_t most_m = kAnyNumber;            ///< that one launch takes
    std::uint64_t workspace_bytes_per_tile = 0;  ///< 0: the workspace does not depend on m
    [[nodiscard]] std::int64_t tiles(std::int64_t m) const { return ceil_div(m, m_tile); }
    auto operator<=>(const RowTiling&) const = default;
};

/// How to run a candidate: its steps in order, on one stream.
struct LaunchPlan {
    std::vector<LaunchStep> steps;
    /// Device memory the steps share. Zeroed once when allocated; a kernel that counts in it must
    /// leave its counters zero again.
    std::uint64_t workspace_bytes = 0;
    /// Nothing where it is not known: then the plan is for one m only.
    std::optional<RowTiling> tiling = std::nullopt;
    // NOLINTNEXTLINE(modernize-use-nullptr): its code has no pointer.
    auto operator<=>(const LaunchPlan&) const = default;
};

/// The grid of a step of the plan for m rows of x, 1 ≤ m ≤ most_m; without a tiling its own one.
std::array<std::uint32_t, 3> grid_for(const LaunchPlan& plan,
                                      const LaunchStep& step,
                                      std::int64_t m);

/// Makes the box of this map of x, as the plan has it, that for m rows of x; without a row_step or
/// a tiling it is the same for every m.
void fit_box(std::span<std::uint32_t> box,
             const LaunchPlan& plan,
             const TensorMap& map,
             std::int64_t m);

/// The plan for another m; nothing where it is not known how, or one launch does not take so many.
std::optional<LaunchPlan> for_m(LaunchPlan plan, std::int64_t m);

/// Whether a step is the library's matmul.
bool has_matmul(const LaunchPlan& plan);

/// How kernels that follow each other are launched.
enum class LaunchMode {
    kPlain,      ///< each begins when the one before has ended
    kDependent,  ///< each may begin before that, and waits itself (programmatic dependent launch)
};

/// "plain" or "dependent".
std::string_view to_string(LaunchMode mode);
/// Inverse of to_string; throws std::invalid_argument.
LaunchMode launch_mode_from(std::string_view word);

/// Why the plan cannot be launched so; nothing when it can.
std::optional<std::string> launch_constraint(const LaunchPlan& plan, LaunchMode mode);

/// Whether launches can overlap on the device, and a kernel wait for its predecessor.
bool has_dependent_launches(const DeviceInfo& device);

/// Throws UsageError, naming the option, when nothing can be launched so on the device.
void require_launch_mode(LaunchMode mode, const DeviceInfo& device);

}  // namespace fdkbench
