#pragma once

#include "kernels/common/element.cuh"
#include "kernels/common/load.cuh"
#include "kernels/common/mma_operands.cuh"

// Weights of the fragment layout (src/core/fragment.hpp) to operand A of mma steps. A lane's 16
// bytes of a block hold 128 / bits weights of its two rows: 16 / bits steps of mma. A decoder has
//   Decoder(codebook)        starts what it reads of the codebook, and does nothing with it yet:
//                            before threads load weights themselves, since loads return in the
//                            order in which they were issued
//   kBytes, build(shared)    bytes of shared memory that it needs; the CTA's first kThreads threads
//                            call build, which fills them; then all synchronise, and any thread's
//                            true means that the general variant of what follows must be used
//   operand<kGeneral>(words, step, a)
//                            the lane's registers of one step
//   scaled_operand<kGeneral, kScaled>(words, step, scales, a)
//                            the same times the scales of the lane's rows (low half: lane / 4, high
//                            half: lane / 4 + 8) if kScaled; if kGeneral, the weights themselves
//   kTwoVariants             whether there are two; else the only one is not general
//   kSumsOfX                 (with operand) whether operands of the general variant are not the
//                            weights
//   result(sum, x_sum)       Σ weight·x out of Σ operand·x and Σ x, which may be 0 if not general;
//                            not for operands that are the weights

/// Decoders whose operands are the weights themselves.
template <class Decoder>
struct WeightOperands {
    static constexpr bool kTwoVariants = false;
    static constexpr bool kSumsOfX = false;

    template <bool kGeneral, bool kScaled>
    __device__ void scaled_operand(const Packed<16>& words,
                                   int step,
                                   uint32 scales,
                                   uint32 (&a)[4]) const {
        static_cast<const Decoder*>(this)->template operand<kGeneral>(words, step, a);
        if constexpr (kScaled) {
            scale_operand(a, scales);
        }
    }

    __device__ static float result(float sum, float /*x_sum*/) { return sum; }
};
