#pragma once

#include "src/core/problem.hpp"

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace fdkbench {

/// "2.6.3".
std::string dnnl_version_text();

/// oneDNN's y[m,n] = x[m,k] · w[n,k]ᵀ for one shape, all three of one type.
class DnnlMatmul {
  public:
    using Type = dnnl::memory::data_type;
    /// Plain weights are [n,k] as frameworks hold them; the library's own order is made from them
    /// once, by reorder_weights.
    enum class Weights { kPlain, kLibrary };

    /// Throws dnnl::error when oneDNN cannot do it.
    DnnlMatmul(Type type, const Shape& shape, Weights weights);

    /// Whether oneDNN would use its slow reference code.
    [[nodiscard]] bool is_reference_code() const;
    [[nodiscard]] std::size_t weight_bytes() const;
    /// [n,k] → the order that run() reads, weight_bytes() of memory.
    void reorder_weights(const void* plain, void* out);
    /// Returns when y is written. Throws CandidateError(runtime).
    void run(const void* x, const void* w, void* y);

  private:
    dnnl::memory::desc plain_weights_;
    dnnl::matmul::primitive_desc description_;
    dnnl::matmul primitive_;
    dnnl::stream stream_;
    dnnl::memory x_;
    dnnl::memory w_;
    dnnl::memory y_;
};

/// Whether oneDNN has fast code for `type` on this CPU.
bool dnnl_supports(ElementType type);

DnnlMatmul::Type dnnl_type(ElementType type);

}  // namespace fdkbench
