#include "src/host/memory.hpp"

#include "src/core/available_memory.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <sys/mman.h>

namespace fdkbench {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;
constexpr std::size_t kAlignment = 256;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

[[noreturn]] void throw_no_memory(std::size_t bytes, std::optional<std::int64_t> free_bytes) {
    throw EnvironmentError(
        fmt::format("the host has no memory for a buffer: {} bytes needed, {} bytes free; choose "
                    "smaller -m, -n or -k",
                    bytes,
                    free_bytes ? fmt::to_string(*free_bytes) : "an unknown number of"));
}

}  // namespace

HostBuffer::HostBuffer(std::size_t bytes) : data_(nullptr), bytes_(bytes) {
    const auto free_bytes = available_memory_bytes();
    const std::size_t unit = bytes < kHugePage ? kAlignment : kHugePage;
    if (!free_bytes || bytes < static_cast<std::size_t>(*free_bytes)) {
        data_ = std::aligned_alloc(unit, round_up(bytes == 0 ? 1 : bytes, unit));
    }
    if (data_ == nullptr) {
        throw_no_memory(bytes, free_bytes);
    }
    if (unit == kHugePage) {
        // Only a wish: without huge pages everything works, a little slower.
        (void)madvise(data_, round_up(bytes, unit), MADV_HUGEPAGE);
    }
}

HostBuffer::~HostBuffer() {
    std::free(data_);
}

}  // namespace fdkbench
