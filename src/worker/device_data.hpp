#pragma once

#include "src/core/backend.hpp"
#include "src/worker/host_data.hpp"
#include "src/worker/rotation.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace fdkbench {

/// A problem's inputs and output in the memory of the open device.
class DeviceData {
  public:
    explicit DeviceData(Backend& backend) : backend_(backend) {}

    /// Uploads the data of `problem`, the weights in copies of at least `budget_bytes` in total.
    /// Weights that are there already are kept; everything else is freed first.
    void prepare(const Problem& problem,
                 const InputsKey& inputs,
                 const HostData& host,
                 std::int64_t budget_bytes);

    /// One element for each copy of the weights as candidates read them.
    [[nodiscard]] std::vector<Arguments> candidate_rotation(const Buffer* workspace) const;
    /// One element for each copy of the 16-bit weights.
    [[nodiscard]] std::vector<Arguments> baseline_rotation(const Buffer* workspace) const;
    /// y [m,n], and behind it a guard region that no kernel may touch.
    [[nodiscard]] Buffer& y() const { return *y_; }

  private:
    struct CachedRotation {
        WeightsKey key;
        std::int64_t budget_bytes = 0;
        Rotation rotation;
    };
    [[nodiscard]] std::vector<Arguments> arguments(const Rotation& rotation,
                                                   const Buffer* workspace) const;

    Backend& backend_;
    std::int32_t m_ = 0;
    std::unique_ptr<Buffer> x_;
    std::unique_ptr<Buffer> codebook_;  ///< none when the weights are plain
    std::unique_ptr<Buffer> y_;
    std::optional<CachedRotation> plain_;
    std::optional<CachedRotation> quantised_;
};

}  // namespace fdkbench
