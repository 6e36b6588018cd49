#pragma once

#include "src/core/backend.hpp"
#include "src/worker/host_data.hpp"
#include "src/worker/rotation.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace fdkbench {

/// A problem's inputs and output in the memory of the open device.
class DeviceData {
  public:
    explicit DeviceData(Backend& backend) : backend_(backend) {}

    /// Uploads the data of `problem`, the weights in copies of at least `budget_bytes` in total and
    /// as fp32. Weights that are there already are kept; everything else is freed first. Quantised
    /// weights come when they are first asked for: `host` must hold the problem's data until the
    /// next call.
    void prepare(const Problem& problem,
                 const InputsKey& inputs,
                 const HostData& host,
                 std::int64_t budget_bytes);

    /// Uploads the weights as candidates of a layout read them, unless they are there.
    void upload_weights(Layout layout);
    /// One element for each copy of the weights as candidates of a layout read them; uploads them
    /// where needed. 16-bit weights are the same in every layout.
    [[nodiscard]] std::vector<Arguments> candidate_rotation(Layout layout, const Buffer* workspace);
    /// One element for each copy of the 16-bit weights.
    [[nodiscard]] std::vector<Arguments> baseline_rotation(const Buffer* workspace) const;
    /// HostData::kernel_weights(), for Backend::reference().
    [[nodiscard]] const Buffer& kernel_values() const;
    /// The fp32 values of the plain weights, for Backend::reference().
    [[nodiscard]] const Buffer& plain_values() const { return *plain_values_->buffer; }
    /// As many as a race has rounds at least, so that each process goes through all of them.
    static constexpr std::size_t kPlaces = 6;
    /// Has launches read x and write y, side by side, in another of kPlaces places: on an H100
    /// times depend on where these lie by 1 %, for one token by up to 7 %.
    void move(std::span<Arguments> rotation, std::size_t place) const;
    /// y [m,n] where launches write that were not moved, and behind it a guard region that no
    /// kernel may touch.
    [[nodiscard]] Buffer& y() const { return *y_; }

  private:
    struct CachedRotation {
        WeightsKey key;
        std::int64_t budget_bytes = 0;
        Rotation rotation;
    };
    /// fp32 weights. `buffer` is void once the host has these in another place than `values`: it
    /// may be that memory itself.
    struct HeldValues {
        WeightsKey key;
        std::span<const float> values;
        std::unique_ptr<Buffer> buffer;
    };
    [[nodiscard]] HeldValues hold(const WeightsKey& key, std::span<const float> values) const;
    [[nodiscard]] std::vector<Arguments> arguments(const Rotation& rotation,
                                                   const Buffer* workspace) const;
    [[nodiscard]] Rotation quantised_rotation(Layout layout) const;

    Backend& backend_;
    const HostData* host_ = nullptr;
    Problem problem_;
    std::optional<WeightsKey> key_;
    std::int64_t budget_bytes_ = 0;
    std::unique_ptr<Buffer> x_;
    std::unique_ptr<Buffer> codebook_;  ///< none when the weights are plain
    std::unique_ptr<Buffer> y_;
    std::vector<std::unique_ptr<Buffer>> places_;  ///< x and, from y_offset_ bytes on, y
    std::size_t y_offset_ = 0;
    std::optional<CachedRotation> plain_;
    std::map<Layout, CachedRotation> quantised_;
    std::optional<HeldValues> plain_values_;
    std::optional<HeldValues> quantised_values_;  ///< none when the weights are plain
};

}  // namespace fdkbench
