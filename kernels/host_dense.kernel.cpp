// y = x · wᵀ with 16-bit weights.
//
//   x [m,k], w [n,k], y [m,n] of one element type; workspace: x prepared for the vectors.
//
// Tiles and work partition: kernels/common/host_product.hpp. A block is 128 bytes of a row on
// AVX-512, two registers elsewhere too; weights stay in natural order. Nothing has to divide n or
// k.

#include "kernels/common/host_product.hpp"

namespace fdk {

static_assert(kBits == 16);

#ifdef FDKBENCH_DOT
struct Weights : DotArithmetic {
    FDKBENCH_INLINE static U16 vector(const std::uint8_t* block, int step) {
        return fdk::load<U16>(block + step * sizeof(U16));
    }
};
#else
struct Weights : Fp32Arithmetic<F32> {
    FDKBENCH_INLINE static F32 vector(const std::uint8_t* block, int step) {
        return widen(fdk::load<HalfU16>(block + step * sizeof(HalfU16)));
    }
};
#endif

struct DenseDecoder : Weights {
    static constexpr int kBlockBytes = 2 * kVectorBytes;
    static constexpr int kBlockElements = kBlockBytes / 2;
    static constexpr int kSteps = kBlockElements / kStepElements;
    static constexpr int kScales = 0;
    static constexpr bool kPrefetch = false;

    explicit DenseDecoder(const fdkbench_host_arguments& /*arguments*/) {}

    static constexpr int element(int step, int i) { return step * kStepElements + i; }
    FDKBENCH_INLINE static const std::uint8_t* load(const std::uint8_t* block) { return block; }
};

}  // namespace fdk

extern "C" void host_dense_prepare(const fdkbench_host_arguments* arguments, int part, int parts) {
    fdk::Product<fdk::DenseDecoder>(*arguments).prepare(part, parts);
}

extern "C" void host_dense(const fdkbench_host_arguments* arguments, int part, int parts) {
    fdk::Product<fdk::DenseDecoder>(*arguments).multiply(part, parts);
}
