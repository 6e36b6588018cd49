#include "src/host/dnnl_runnable.hpp"

#include "src/core/half.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace fdkbench {
namespace {

DnnlMatmul make_matmul(const Problem& problem, DnnlMatmul::Weights weights, bool in_f32) {
    const auto type = in_f32 ? DnnlMatmul::Type::f32 : dnnl_type(problem.type);
    return {type, problem.shape, weights};
}

void to_floats(const void* from, std::int64_t count, ElementType type, float* to) {
    const auto* bits = static_cast<const std::uint16_t*>(from);
    std::transform(
        bits, bits + count, to, [type](std::uint16_t value) { return from_bits16(value, type); });
}

}  // namespace

DnnlRunnable::DnnlRunnable(const Problem& problem, DnnlMatmul::Weights weights)
    : problem_(problem),
      weights_(weights),
      in_f32_(!dnnl_supports(problem.type)),
      matmul_(make_matmul(problem, weights, in_f32_)) {
    if (in_f32_) {
        x_.resize(static_cast<std::size_t>(problem.shape.m * problem.shape.k));
        y_.resize(static_cast<std::size_t>(problem.shape.m * problem.shape.n));
    }
}

std::string DnnlRunnable::name() const {
    const std::string_view type = to_string(problem_.type);
    return fmt::format("oneDNN {}{}",
                       in_f32_ ? fmt::format("f32 (no {} on this CPU)", type) : type,
                       weights_ == DnnlMatmul::Weights::kLibrary ? ", reordered weights" : "");
}

const void* DnnlRunnable::weights_for(const void* w) {
    if (!in_f32_ && weights_ == DnnlMatmul::Weights::kPlain) {
        return w;
    }
    std::unique_ptr<HostBuffer>& kept = converted_[w];
    if (!kept) {
        kept = converted(w);
    }
    return kept->data();
}

std::unique_ptr<HostBuffer> DnnlRunnable::converted(const void* w) {
    const std::int64_t count = problem_.shape.n * problem_.shape.k;
    std::unique_ptr<HostBuffer> wide;
    if (in_f32_) {
        wide = std::make_unique<HostBuffer>(static_cast<std::size_t>(count) * sizeof(float));
        to_floats(w, count, problem_.type, static_cast<float*>(wide->data()));
    }
    if (weights_ == DnnlMatmul::Weights::kPlain) {
        return wide;
    }
    auto reordered = std::make_unique<HostBuffer>(matmul_.weight_bytes());
    matmul_.reorder_weights(wide ? wide->data() : w, reordered->data());
    return reordered;
}

void DnnlRunnable::launch(const Arguments& arguments) {
    assert(arguments.m == problem_.shape.m);
    const void* w = weights_for(arguments.w);
    if (!in_f32_) {
        matmul_.run(arguments.x, w, arguments.y);
        return;
    }
    to_floats(arguments.x, static_cast<std::int64_t>(x_.size()), problem_.type, x_.data());
    matmul_.run(x_.data(), w, y_.data());
    std::ranges::transform(y_, static_cast<std::uint16_t*>(arguments.y), [this](float value) {
        return to_bits16(value, problem_.type);
    });
}

}  // namespace fdkbench
