#include "src/host/dnnl_matmul.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <string_view>

namespace fdkbench {
namespace {

using dnnl::memory;

const dnnl::engine& engine() {
    static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

memory::desc plain(DnnlMatmul::Type type, memory::dim rows, memory::dim columns) {
    return {{rows, columns}, type, memory::format_tag::ab};
}

/// oneDNN sees the weights as [k,n]; in memory they are [n,k].
memory::desc plain_weights(DnnlMatmul::Type type, const Shape& shape) {
    return {{shape.k, shape.n}, type, memory::format_tag::ba};
}

dnnl::matmul::primitive_desc describe(DnnlMatmul::Type type,
                                      const Shape& shape,
                                      const memory::desc& weights) {
    const memory::desc x = plain(type, shape.m, shape.k);
    const memory::desc y = plain(type, shape.m, shape.n);
#if DNNL_VERSION_MAJOR >= 3
    return {engine(), x, weights, y};
#else
    return {dnnl::matmul::desc(x, weights, y), engine()};
#endif
}

memory unbound(const memory::desc& desc) {
    return {desc, engine(), DNNL_MEMORY_NONE};
}

void bind(memory& to, const void* data) {
    to.set_data_handle(const_cast<void*>(data));
}

}  // namespace

std::string dnnl_version_text() {
    const dnnl::version_t* version = dnnl::version();
    return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

DnnlMatmul::DnnlMatmul(Type type, const Shape& shape, Weights weights)
    : plain_weights_(plain_weights(type, shape)),
      description_(describe(type,
                            shape,
                            weights == Weights::kPlain
                                ? plain_weights_
                                : memory::desc({shape.k, shape.n}, type, memory::format_tag::any))),
      primitive_(description_),
      stream_(engine()),
      x_(unbound(description_.src_desc())),
      w_(unbound(description_.weights_desc())),
      y_(unbound(description_.dst_desc())) {}

bool DnnlMatmul::is_reference_code() const {
    return std::string_view(description_.impl_info_str()).starts_with("ref");
}

std::size_t DnnlMatmul::weight_bytes() const {
    return description_.weights_desc().get_size();
}

void DnnlMatmul::reorder_weights(const void* plain, void* out) {
    memory from = unbound(plain_weights_);
    memory to = unbound(description_.weights_desc());
    bind(from, plain);
    bind(to, out);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
}

void DnnlMatmul::run(const void* x, const void* w, void* y) {
    bind(x_, x);
    bind(w_, w);
    bind(y_, y);
    try {
        primitive_.execute(stream_,
                           {{DNNL_ARG_SRC, x_}, {DNNL_ARG_WEIGHTS, w_}, {DNNL_ARG_DST, y_}});
        stream_.wait();
    } catch (const dnnl::error& error) {
        throw CandidateError(CandidateStatus::kRuntime,
                             fmt::format("oneDNN matmul: {}", error.what()));
    }
}

DnnlMatmul::Type dnnl_type(ElementType type) {
    return type == ElementType::kBf16 ? memory::data_type::bf16 : memory::data_type::f16;
}

bool dnnl_supports(ElementType type) {
    try {
        constexpr Shape kAny{16, 64, 64};
        return !DnnlMatmul(dnnl_type(type), kAny, DnnlMatmul::Weights::kPlain).is_reference_code();
    } catch (const dnnl::error&) {
        return false;
    }
}

}  // namespace fdkbench
