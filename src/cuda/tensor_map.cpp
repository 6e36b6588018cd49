#include "src/cuda/tensor_map.hpp"

#include "src/core/error.hpp"
#include "src/cuda/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace fdkbench {

namespace {

constexpr std::size_t kMostDimensions = 5;
constexpr int kSinceDriver = 12000;

/// A function of the driver: this library is not linked, as machines without a GPU lack it.
decltype(&cuTensorMapEncodeTiled) load_encode() {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found{};
    check(cudaGetDriverEntryPointByVersion(
              "cuTensorMapEncodeTiled", &function, kSinceDriver, cudaEnableDefault, &found),
          "cudaGetDriverEntryPointByVersion(cuTensorMapEncodeTiled)");
    if (found != cudaDriverEntryPointSuccess) {
        throw CandidateError(CandidateStatus::kConstraints, "the driver has no tensor maps");
    }
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function);
}

void* address_of(TensorMap::Operand operand, const Arguments& arguments) {
    const void* address = operand == TensorMap::Operand::kX   ? arguments.x
                          : operand == TensorMap::Operand::kW ? arguments.w
                                                              : arguments.scales;
    return const_cast<void*>(address);  // kernels only read through these
}

}  // namespace

CUtensorMap encode(const LaunchPlan& plan, const TensorMap& map, const Arguments& arguments) {
    static const auto encode_tiled = load_encode();
    std::array<cuuint64_t, kMostDimensions> size{};
    std::array<cuuint64_t, kMostDimensions> strides{};
    std::array<cuuint32_t, kMostDimensions> box{};
    std::array<cuuint32_t, kMostDimensions> element_strides{};
    if (map.size.size() > kMostDimensions || map.box.size() != map.size.size() ||
        map.strides.size() + 1 != map.size.size()) {
        throw CandidateError(CandidateStatus::kConstraints, "a tensor map with uneven lists");
    }
    std::ranges::copy(map.size, size.begin());
    std::ranges::copy(map.strides, strides.begin());
    std::ranges::copy(map.box, box.begin());
    element_strides.fill(1);
    if (map.operand == TensorMap::Operand::kX) {
        size[1] = static_cast<cuuint64_t>(arguments.m);
        fit_box(box, plan, map, arguments.m);
    }
    const auto rank = static_cast<std::ptrdiff_t>(map.size.size());
    CUtensorMap encoded{};
    const CUresult status = encode_tiled(
        &encoded,
        map.element_bytes == 2 ? CU_TENSOR_MAP_DATA_TYPE_UINT16 : CU_TENSOR_MAP_DATA_TYPE_UINT32,
        static_cast<cuuint32_t>(rank),
        address_of(map.operand, arguments),
        size.data(),
        strides.data(),
        box.data(),
        element_strides.data(),
        CU_TENSOR_MAP_INTERLEAVE_NONE,
        map.swizzled ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_NONE,
        CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
        CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (status != CUDA_SUCCESS) {
        throw CandidateError(CandidateStatus::kConstraints,
                             fmt::format("the driver takes no tensor map of {} [{}] by boxes of "
                                         "[{}] (error {})",
                                         to_string(map.operand),
                                         fmt::join(size.begin(), size.begin() + rank, ", "),
                                         fmt::join(box.begin(), box.begin() + rank, ", "),
                                         static_cast<int>(status)));
    }
    return encoded;
}

}  // namespace fdkbench
