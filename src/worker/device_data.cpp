#include "src/worker/device_data.hpp"

#include <algorithm>

namespace fdkbench {
namespace {

// A kernel that forgets m writes up to a tile of rows too many: the guard should hold them all, so
// that the fault is caught and nobody else's memory is hit.
constexpr std::int64_t kGuardRows = 128;
constexpr std::int64_t kMinGuardBytes = 64 << 10;
constexpr std::int64_t kMaxGuardBytes = 8 << 20;

template <typename T>
std::unique_ptr<Buffer> uploaded(Backend& backend, std::span<const T> values) {
    auto buffer = backend.allocate(values.size_bytes());
    backend.upload(*buffer, 0, std::as_bytes(values));
    return buffer;
}

}  // namespace

void DeviceData::prepare(const Problem& problem,
                         const InputsKey& inputs,
                         const HostData& host,
                         std::int64_t budget_bytes) {
    const WeightsKey key(problem, inputs);
    const auto forget_stale = [&](std::optional<CachedRotation>& cached, const WeightsKey& wanted) {
        if (cached && (cached->key != wanted || cached->budget_bytes != budget_bytes)) {
            cached.reset();
        }
    };
    x_.reset();
    codebook_.reset();
    y_.reset();
    forget_stale(quantised_, key);
    forget_stale(plain_, key.plain());

    m_ = static_cast<std::int32_t>(problem.shape.m);
    x_ = uploaded(backend_, host.x());
    const std::int64_t row_bytes = problem.shape.n * 2;
    const std::int64_t guard_bytes =
        std::clamp(kGuardRows * row_bytes, kMinGuardBytes, kMaxGuardBytes);
    y_ = backend_.allocate(static_cast<std::size_t>(problem.shape.m * row_bytes + guard_bytes));
    if (!plain_) {
        plain_.emplace(CachedRotation{
            key.plain(),
            budget_bytes,
            Rotation(backend_, std::as_bytes(std::span(host.plain().data)), {}, budget_bytes)});
    }
    if (problem.format.quantised()) {
        const QuantisedMatrix& matrix = host.quantised().matrix;
        codebook_ = uploaded(backend_, std::span(matrix.codebook));
        if (!quantised_) {
            quantised_.emplace(CachedRotation{key,
                                              budget_bytes,
                                              Rotation(backend_,
                                                       std::as_bytes(std::span(matrix.weight_data)),
                                                       std::as_bytes(std::span(matrix.scale)),
                                                       budget_bytes)});
        }
    }
}

std::vector<Arguments> DeviceData::candidate_rotation(const Buffer* workspace) const {
    return arguments(quantised_ ? quantised_->rotation : plain_->rotation, workspace);
}

std::vector<Arguments> DeviceData::baseline_rotation(const Buffer* workspace) const {
    return arguments(plain_->rotation, workspace);
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
                       .m = m_});
    }
    return all;
}

}  // namespace fdkbench
