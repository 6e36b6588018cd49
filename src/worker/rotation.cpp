#include "src/worker/rotation.hpp"

#include <algorithm>

namespace fdkbench {
namespace {

constexpr std::size_t kAlignment = 256;
// A replay of the longest duration does not get through more copies than this.
constexpr std::int64_t kMaxCopies = 8192;

}  // namespace

std::int64_t copies_within(std::int64_t budget_bytes, std::int64_t copy_bytes) {
    return std::clamp<std::int64_t>((budget_bytes + copy_bytes - 1) / copy_bytes, 1, kMaxCopies);
}

Rotation::Rotation(Backend& backend,
                   std::span<const std::byte> weights,
                   std::span<const std::byte> scales,
                   std::int64_t budget_bytes) {
    if (!scales.empty()) {
        scales_offset_ = (weights.size() + kAlignment - 1) / kAlignment * kAlignment;
    }
    const std::int64_t copies =
        copies_within(budget_bytes, static_cast<std::int64_t>(weights.size() + scales.size()));
    for (std::int64_t i = 0; i < copies; ++i) {
        copies_.push_back(
            backend.allocate(std::max(scales_offset_ + scales.size(), weights.size())));
        if (i == 0) {
            backend.upload(*copies_[0], 0, weights);
            if (!scales.empty()) {
                backend.upload(*copies_[0], scales_offset_, scales);
            }
        } else {
            backend.copy(*copies_.back(), *copies_[0]);
        }
    }
}

const void* Rotation::weights(std::size_t copy) const {
    return copies_[copy]->data();
}

const void* Rotation::scales(std::size_t copy) const {
    if (scales_offset_ == 0) {
        return nullptr;
    }
    return static_cast<const std::byte*>(copies_[copy]->data()) + scales_offset_;
}

}  // namespace fdkbench
