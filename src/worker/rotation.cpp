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
                   std::int64_t budget_bytes)
    : Rotation(backend,
               weights.size(),
               scales.size(),
               budget_bytes,
               [&](Buffer& copy, std::size_t scales_offset) {
                   backend.upload(copy, 0, weights);
                   if (!scales.empty()) {
                       backend.upload(copy, scales_offset, scales);
                   }
               }) {}

Rotation::Rotation(Backend& backend,
                   std::size_t weight_bytes,
                   std::size_t scale_bytes,
                   std::int64_t budget_bytes,
                   const Fill& fill) {
    if (scale_bytes > 0) {
        scales_offset_ = (weight_bytes + kAlignment - 1) / kAlignment * kAlignment;
    }
    const std::int64_t copies =
        copies_within(budget_bytes, static_cast<std::int64_t>(weight_bytes + scale_bytes));
    for (std::int64_t i = 0; i < copies; ++i) {
        copies_.push_back(backend.allocate(std::max(scales_offset_ + scale_bytes, weight_bytes)));
        if (i == 0) {
            fill(*copies_[0], scales_offset_);
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
