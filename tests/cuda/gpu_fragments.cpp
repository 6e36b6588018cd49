#include "src/core/fragment.hpp"
#include "tests/core/fragment_cases.hpp"
#include "tests/cuda/gpu.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

constexpr std::byte kUntouched{0xa5};
constexpr std::size_t kGuardBytes = 512;

/// The bytes of a buffer into which the device packed the matrix, with guards behind weights and
/// scales.
std::vector<std::byte> packed_on_device(const QuantisedMatrix& matrix,
                                        const FragmentCase& now,
                                        std::size_t scales_offset,
                                        std::size_t scale_bytes) {
    const auto buffer = gpu().allocate(scales_offset + scale_bytes + kGuardBytes);
    gpu().fill(*buffer, kUntouched);
    gpu().upload_fragments(*buffer, scales_offset, matrix, {now.shape, now.format});
    return from_gpu<std::byte>(*buffer);
}

void check_packing(const FragmentCase& now) {
    CAPTURE(to_string(now.shape), now.format.bits, now.format.group_size);
    const QuantisedMatrix matrix = random_matrix(now);
    const FragmentMatrix expected = to_fragments(matrix, now.shape, now.format, 1);
    const std::size_t weight_bytes = expected.weight_data.size();
    const std::size_t scale_bytes = expected.scale.size() * 2;
    const std::size_t scales_offset = weight_bytes + kGuardBytes;
    const auto bytes = packed_on_device(matrix, now, scales_offset, scale_bytes);

    FragmentMatrix packed = expected;
    std::memcpy(packed.weight_data.data(), bytes.data(), weight_bytes);
    std::memcpy(packed.scale.data(), bytes.data() + scales_offset, scale_bytes);
    CHECK(packed.weight_data == expected.weight_data);
    CHECK(packed.scale == expected.scale);
    const std::vector<std::byte> guard(kGuardBytes, kUntouched);
    CHECK(std::ranges::equal(std::span(bytes).subspan(weight_bytes, kGuardBytes), guard));
    CHECK(std::ranges::equal(std::span(bytes).last(kGuardBytes), guard));

    const QuantisedMatrix back = from_fragments(packed, now.shape, now.format, 1);
    CHECK(back.weight_data == matrix.weight_data);
    CHECK(back.scale == matrix.scale);
}

}  // namespace

TEST_CASE("The device packs the same fragments as the host, which unpacks them again") {
    for (const FragmentCase& now : fragment_cases()) {
        check_packing(now);
    }
}

TEST_CASE("The device packs large matrices") {
    check_packing({{1, 4090, 4096}, {GENERATE(8, 4, 2, 1), 64}});
}

TEST_CASE("The device refuses a matrix of other extents") {
    const FragmentCase now{{1, 16, 64}, {4, 64}};
    const QuantisedMatrix matrix = random_matrix(now);
    const auto buffer = gpu().allocate(4096);
    CHECK_THROWS_AS(gpu().upload_fragments(*buffer, 2048, matrix, {{1, 17, 64}, now.format}),
                    std::invalid_argument);
    CHECK_THROWS_AS(gpu().upload_fragments(*buffer, 2048, matrix, {now.shape, {}}),
                    std::invalid_argument);
}
