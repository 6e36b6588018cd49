#pragma once

#include "src/core/backend.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace fdkbench {

/// As many copies as it takes for `copy_bytes` each to total `budget_bytes`; at least one, and at
/// most 8192 (only matrices of a few KiB would need more).
std::int64_t copies_within(std::int64_t budget_bytes, std::int64_t copy_bytes);

/// Equal copies of a weight matrix and its scales in device memory. Launches that rotate over them
/// find them cold when all copies together are larger than the device's cache.
class Rotation {
  public:
    /// Puts weights and scales, the latter from an offset on, into a buffer.
    using Fill = std::function<void(Buffer& copy, std::size_t scales_offset)>;

    /// copies_within() the budget, the first of them filled; `scale_bytes` may be 0.
    Rotation(Backend& backend,
             std::size_t weight_bytes,
             std::size_t scale_bytes,
             std::int64_t budget_bytes,
             const Fill& fill);
    /// The same for weights and scales in host memory. `scales` may be empty.
    Rotation(Backend& backend,
             std::span<const std::byte> weights,
             std::span<const std::byte> scales,
             std::int64_t budget_bytes);

    [[nodiscard]] std::size_t copies() const { return copies_.size(); }
    [[nodiscard]] const void* weights(std::size_t copy) const;
    /// Null when there are none.
    [[nodiscard]] const void* scales(std::size_t copy) const;

  private:
    std::vector<std::unique_ptr<Buffer>> copies_;  ///< weights, then scales, in each
    std::size_t scales_offset_ = 0;                ///< 0 when there are no scales
};

}  // namespace fdkbench
