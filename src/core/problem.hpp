#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace fdkbench {

/// y[m,n] = x[m,k] · w[n,k]ᵀ: m = batch (tokens), n = output features, k = reduction.
struct Shape {
    std::int64_t m = 0;
    std::int64_t n = 0;
    std::int64_t k = 0;
    auto operator<=>(const Shape&) const = default;
};

/// "1x4096x4096".
std::string to_string(const Shape& shape);

/// Type of activations, scales, codebook, 16-bit weights and output; accumulation is always fp32.
enum class ElementType { kBf16, kFp16 };

/// "bf16" or "fp16".
std::string_view to_string(ElementType type);
/// Inverse of to_string; throws std::invalid_argument.
ElementType element_type_from(std::string_view word);

/// Order of packed weights in memory: canonical (quantise.hpp) or fragment (fragment.hpp).
enum class Layout { kCanonical, kFragment };

/// "canonical" or "fragment".
std::string_view to_string(Layout layout);
/// Inverse of to_string; throws std::invalid_argument.
Layout layout_from(std::string_view word);

/// What the weights are.
struct WeightFormat {
    int bits = 16;                ///< 16 (plain), 8, 4, 2 or 1
    std::int64_t group_size = 0;  ///< weights along k that share one scale; 0 when bits is 16
    auto operator<=>(const WeightFormat&) const = default;

    [[nodiscard]] bool quantised() const { return bits < 16; }
};

/// One thing to compute: a shape with its weight format and element type. With a device and a
/// measuring policy it is a cell.
struct Problem {
    Shape shape;
    WeightFormat format;
    ElementType type = ElementType::kBf16;
    auto operator<=>(const Problem&) const = default;

    /// Bytes of the weights [n, k·bits/8] (row length rounded up to whole bytes).
    [[nodiscard]] std::int64_t weight_bytes() const;
    /// Bytes of the scales [n, k/group_size]; 0 when bits is 16.
    [[nodiscard]] std::int64_t scale_bytes() const;
    /// Bytes that must move at least once: weights, scales, x and y.
    [[nodiscard]] std::int64_t bytes_moved() const;
    /// 2·m·n·k.
    [[nodiscard]] double flops() const;
};

/// "m=1 n=4096 k=4096 bits=4 group_size=64 bf16".
std::string to_string(const Problem& problem);

/// Throws UsageError saying what is allowed, for: m, n, k < 1 or > 2^24, bits not in {16,8,4,2,1},
/// k not divisible by group_size, group_size·bits not whole bytes.
void validate(const Problem& problem);

}  // namespace fdkbench
