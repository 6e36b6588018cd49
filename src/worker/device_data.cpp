#include "src/worker/device_data.hpp"

#include "src/core/fragment.hpp"

#include <algorithm>

namespace fdkbench {
namespace {

// A kernel that forgets m writes up to a tile of rows too many: the guard should hold them all, so
// that the fault is caught and nobody else's memory is hit.
constexpr std::int64_t kGuardRows = 128;
constexpr std::int64_t kMinGuardBytes = 64 << 10;
constexpr std::int64_t kMaxGuardBytes = 8 << 20;

}  // namespace

void DeviceData::prepare(const Problem& problem,
                         const InputsKey& inputs,
                         const HostData& host,
                         std::int64_t budget_bytes) {
    const WeightsKey key(problem, inputs);
    const auto stale = [&](const CachedRotation& cached, const WeightsKey& wanted) {
        return cached.key != wanted || cached.budget_bytes != budget_bytes;
    };
    const auto drop_stale = [](std::optional<HeldValues>& held,
                               const WeightsKey& wanted,
                               std::span<const float> values) {
        if (held && (held->key != wanted || held->values.data() != values.data())) {
            held.reset();
        }
    };
    x_.reset();
    codebook_.reset();
    y_.reset();
    places_.clear();
    std::erase_if(quantised_, [&](const auto& item) { return stale(item.second, key); });
    if (plain_ && stale(*plain_, key.plain())) {
        plain_.reset();
    }
    drop_stale(plain_values_, key.plain(), host.plain().values);
    drop_stale(quantised_values_, key, host.kernel_weights());

    host_ = &host;
    problem_ = problem;
    key_ = key;
    budget_bytes_ = budget_bytes;
    const std::int64_t row_bytes = problem.shape.n * 2;
    const std::int64_t guard_bytes =
        std::clamp(kGuardRows * row_bytes, kMinGuardBytes, kMaxGuardBytes);
    x_ = backend_.uploaded(std::as_bytes(host.x()));
    y_ = backend_.allocate(static_cast<std::size_t>(problem.shape.m * row_bytes + guard_bytes));
    constexpr std::size_t kAlignment = 1024;
    y_offset_ = (host.x().size_bytes() + kAlignment - 1) / kAlignment * kAlignment;
    for (std::size_t place = 0; place < kPlaces; ++place) {
        places_.push_back(
            backend_.allocate(y_offset_ + static_cast<std::size_t>(problem.shape.m * row_bytes)));
        backend_.upload(*places_.back(), 0, std::as_bytes(host.x()));
    }
    if (!plain_) {
        plain_.emplace(CachedRotation{
            key.plain(),
            budget_bytes,
            Rotation(backend_, std::as_bytes(std::span(host.plain().data)), {}, budget_bytes)});
    }
    if (!plain_values_) {
        plain_values_ = hold(key.plain(), host.plain().values);
    }
    if (problem.format.quantised()) {
        codebook_ = backend_.uploaded(std::as_bytes(std::span(host.quantised().matrix.codebook)));
        if (!quantised_values_) {
            quantised_values_ = hold(key, host.kernel_weights());
        }
    }
}

DeviceData::HeldValues DeviceData::hold(const WeightsKey& key,
                                        std::span<const float> values) const {
    return {key, values, backend_.hold(std::as_bytes(values))};
}

const Buffer& DeviceData::kernel_values() const {
    return quantised_values_ ? *quantised_values_->buffer : plain_values();
}

Rotation DeviceData::quantised_rotation(Layout layout) const {
    const QuantisedMatrix& matrix = host_->quantised().matrix;
    if (layout == Layout::kCanonical) {
        return {backend_,
                std::as_bytes(std::span(matrix.weight_data)),
                std::as_bytes(std::span(matrix.scale)),
                budget_bytes_};
    }
    return {backend_,
            static_cast<std::size_t>(fragment_weight_bytes(problem_.shape, problem_.format)),
            static_cast<std::size_t>(fragment_scales(problem_.shape, problem_.format)) * 2,
            budget_bytes_,
            [&](Buffer& copy, std::size_t scales_offset) {
                backend_.upload_fragments(copy, scales_offset, matrix, problem_);
            }};
}

void DeviceData::upload_weights(Layout layout) {
    if (problem_.format.quantised() && !quantised_.contains(layout)) {
        quantised_.emplace(layout,
                           CachedRotation{*key_, budget_bytes_, quantised_rotation(layout)});
    }
}

std::vector<Arguments> DeviceData::candidate_rotation(Layout layout, const Buffer* workspace) {
    upload_weights(layout);
    return arguments(
        problem_.format.quantised() ? quantised_.at(layout).rotation : plain_->rotation, workspace);
}

std::vector<Arguments> DeviceData::baseline_rotation(const Buffer* workspace) const {
    return arguments(plain_->rotation, workspace);
}

void DeviceData::move(std::span<Arguments> rotation, std::size_t place) const {
    auto* x = static_cast<std::byte*>(places_.at(place)->data());
    for (Arguments& arguments : rotation) {
        arguments.x = x;
        arguments.y = x + y_offset_;
    }
}

std::vector<Arguments> DeviceData::arguments(const Rotation& rotation,
                                             const Buffer* workspace) const {
    std::vector<Arguments> all;
    for (std::size_t copy = 0; copy < rotation.copies(); ++copy) {
        all.push_back({.x = x_->data(),
                       .w = rotation.weights(copy),
                       .scales = rotation.scales(copy),
                       .codebook = codebook_ ? codebook_->data() : nullptr,
                       .y = y_->data(),
                       .workspace = workspace != nullptr ? workspace->data() : nullptr,
                       .m = static_cast<std::int32_t>(problem_.shape.m)});
    }
    return all;
}

}  // namespace fdkbench
