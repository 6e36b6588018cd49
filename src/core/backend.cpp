#include "src/core/backend.hpp"

#include "src/core/fragment.hpp"
#include "src/core/parallel.hpp"

namespace fdkbench {

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
