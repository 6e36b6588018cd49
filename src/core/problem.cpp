#include "src/core/problem.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace fdkbench {
namespace {

constexpr std::int64_t kMaxExtent = std::int64_t{1} << 24U;
constexpr std::int64_t kBytesPerElement = 2;

void validate_extent(char name, std::int64_t value) {
    if (value < 1 || value > kMaxExtent) {
        throw UsageError(fmt::format(
            "{0} {1} is out of range: choose -{0} from 1 to {2}", name, value, kMaxExtent));
    }
}

/// The largest group size up to `limit` that divides k and fills whole bytes; 0 when there is none.
std::int64_t nearest_group_size(std::int64_t k, std::int64_t limit, std::int64_t granule) {
    std::int64_t group_size = std::min(k, limit) / granule * granule;
    while (group_size > 0 && k % group_size != 0) {
        group_size -= granule;
    }
    return group_size;
}

void validate_groups(std::int64_t k, const WeightFormat& format) {
    const std::int64_t group_size = format.group_size;
    if (!format.quantised()) {
        if (group_size != 0) {
            throw UsageError(fmt::format(
                "16-bit weights have no groups: the group size must be 0, not {}", group_size));
        }
        return;
    }
    if (group_size < 1) {
        throw UsageError(fmt::format(
            "group size {} is out of range: choose -g from 1 to k, for example -g 64", group_size));
    }
    const std::int64_t granule = 8 / format.bits;
    if (group_size % granule != 0) {
        throw UsageError(
            fmt::format("group size {} at {} bits per weight does not fill whole bytes: choose -g "
                        "a multiple of {}",
                        group_size,
                        format.bits,
                        granule));
    }
    if (k % group_size != 0) {
        const std::int64_t other = nearest_group_size(k, group_size, granule);
        throw UsageError(
            fmt::format("k {0} is not divisible by group size {1}: choose -k a multiple of {1}{2}",
                        k,
                        group_size,
                        other > 0 ? fmt::format(", or -g {}", other) : ""));
    }
}

}  // namespace

std::string to_string(const Shape& shape) {
    return fmt::format("{}x{}x{}", shape.m, shape.n, shape.k);
}

std::string_view to_string(ElementType type) {
    return type == ElementType::kBf16 ? "bf16" : "fp16";
}

ElementType element_type_from(std::string_view word) {
    for (const ElementType type : {ElementType::kBf16, ElementType::kFp16}) {
        if (word == to_string(type)) {
            return type;
        }
    }
    throw std::invalid_argument(
        fmt::format("unknown element type '{}': choose bf16 or fp16", word));
}

std::string_view to_string(Layout layout) {
    return layout == Layout::kCanonical ? "canonical" : "fragment";
}

Layout layout_from(std::string_view word) {
    for (const Layout layout : {Layout::kCanonical, Layout::kFragment}) {
        if (word == to_string(layout)) {
            return layout;
        }
    }
    throw std::invalid_argument(
        fmt::format("unknown layout '{}': choose canonical or fragment", word));
}

std::int64_t Problem::weight_bytes() const {
    return shape.n * ((shape.k * format.bits + 7) / 8);
}

std::int64_t Problem::scale_bytes() const {
    return format.quantised() ? shape.n * (shape.k / format.group_size) * kBytesPerElement : 0;
}

std::int64_t Problem::bytes_moved() const {
    return weight_bytes() + scale_bytes() + shape.m * (shape.k + shape.n) * kBytesPerElement;
}

double Problem::flops() const {
    return 2.0 * static_cast<double>(shape.m) * static_cast<double>(shape.n) *
           static_cast<double>(shape.k);
}

std::string to_string(const Problem& problem) {
    return fmt::format("m={} n={} k={} bits={} group_size={} {}",
                       problem.shape.m,
                       problem.shape.n,
                       problem.shape.k,
                       problem.format.bits,
                       problem.format.group_size,
                       to_string(problem.type));
}

void validate(const Problem& problem) {
    validate_extent('m', problem.shape.m);
    validate_extent('n', problem.shape.n);
    validate_extent('k', problem.shape.k);
    const int bits = problem.format.bits;
    if (bits != 16 && bits != 8 && bits != 4 && bits != 2 && bits != 1) {
        throw UsageError(fmt::format("bits {} is not supported: choose -b 16, 8, 4, 2 or 1", bits));
    }
    validate_groups(problem.shape.k, problem.format);
}

}  // namespace fdkbench
