#include "src/core/backend.hpp"

#include "src/core/fragment.hpp"
#include "src/core/parallel.hpp"

namespace fdkbench {

std::unique_ptr<Buffer> Backend::uploaded(std::span<const std::byte> from) {
    auto buffer = allocate(from.size());
    upload(*buffer, 0, from);
    return buffer;
}

std::unique_ptr<Buffer> Backend::hold(std::span<const std::byte> from) {
    return uploaded(from);
}

void Backend::upload_fragments(Buffer& to,
                               std::size_t scales_offset,
                               const QuantisedMatrix& matrix,
                               const Problem& problem) {
    const FragmentMatrix packed =
        to_fragments(matrix, problem.shape, problem.format, hardware_threads());
    upload(to, 0, std::as_bytes(std::span(packed.weight_data)));
    upload(to, scales_offset, std::as_bytes(std::span(packed.scale)));
}

}  // namespace fdkbench
