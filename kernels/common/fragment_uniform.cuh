#pragma once

#include "kernels/common/fragment_decode.cuh"

// 8 bits by arithmetic where the codebook is the uniform one, by table where it is not: shared
// memory is what wgmma has least of, and a pair of weights takes two lookups. Both give the same
// operands. (4 bits take one lookup, and more arithmetic: they are faster with the table.)

/// Element i of the uniform codebook (src/core/quantise.hpp) is distance(i) − 1 in its lower half
/// and 1 − distance(255 − i) in its upper one, with distance(j) = step · j; step, distance and
/// element are rounded to 16 bits each.
template <int kThreads, int kRowBytes>
class FragmentUniform {
  public:
    using Table = FragmentTable<8, kThreads, kRowBytes>;
    static constexpr int kBytes = Table::kBytes;
    static constexpr bool kTwoVariants = true;

    __device__ explicit FragmentUniform(const uint16* codebook) : table_(codebook) {}

    __device__ bool build(uint8* shared) {
        table_.build(shared);
        bool uniform = true;
#pragma unroll
        for (int i = 0; i < Table::kEntries; ++i) {
            const Bytes bytes(Table::entry(i) * 0x01010101u);
            // Adding 0 makes 0 of −0.
            const uint32 values =
                multiply_add_pairs(bytes.signed_like(0, bytes.magnitudes(0)), kPairOfOnes, 0);
            uniform = uniform && values == table_.values(i);
        }
        return !uniform;
    }

    template <bool kGeneral, bool kScaled>
    __device__ void scaled_operand(const Packed<16>& words,
                                   int step,
                                   uint32 scales,
                                   uint32 (&a)[4]) const {
        if constexpr (kGeneral) {
            table_.template scaled_operand<true, kScaled>(words, step, scales, a);
        } else {
#pragma unroll
            for (int r = 0; r < 4; ++r) {
                const Bytes bytes(words.words[2 * step + r / 2]);
                const uint32 magnitudes = bytes.magnitudes(r % 2);
                if constexpr (kScaled) {
                    const uint32 scale = permute_bytes(scales, 0, r % 2 ? 0x3232 : 0x1010);
                    a[r] = multiply_pairs(magnitudes, bytes.signed_like(r % 2, scale));
                } else {
                    a[r] = bytes.signed_like(r % 2, magnitudes);
                }
            }
        }
    }

    __device__ static float result(float sum, float /*x_sum*/) {
        return sum;
    }

  private:
    /// Four weights, in two pairs.
    class Bytes {
      public:
        // j is the code in the lower half of the codebook, its complement in the upper one.
        __device__ explicit Bytes(uint32 word)
            : word_(word), js_((word ^ permute_bytes(word, 0, 0xba98)) & 0x7f7f7f7fu) {}

        /// 1 − distance(j) of a pair.
        __device__ uint32 magnitudes(int pair) const {
            const uint32 numbers = permute_bytes(js_, kMagic, pair == 0 ? 0x5150 : 0x5352);
            const uint32 distances = multiply_add_pairs(numbers, kSteps, kMinusMagicSteps);
            return multiply_add_pairs(distances, kMinusOnes, kPairOfOnes);
        }

        /// Two values with their signs changed where the pair's weights are negative.
        __device__ uint32 signed_like(int pair, uint32 values) const {
            // Its bits 15 and 31: whether the code is in the codebook's upper half.
            const uint32 upper = permute_bytes(word_, 0, pair == 0 ? 0x1000 : 0x3020);
            uint32 changed;
            asm("lop3.b32 %0, %1, %2, %3, 0xa6;"
                : "=r"(changed)
                : "r"(upper), "r"(0x80008000u), "r"(values));
            return changed;
        }

      private:
        uint32 word_;
        uint32 js_;
    };

#ifdef FDK_BF16
    static constexpr uint32 kMagic = 0x43004300u;  // a pair of 128: 7 bits come below
    static constexpr uint32 kSteps = 0x3c013c01u;
    static constexpr uint32 kMinusMagicSteps = 0xbf81bf81u;
    static constexpr uint32 kMinusOnes = 0xbf80bf80u;
#else
    static constexpr uint32 kMagic = 0x64006400u;  // a pair of 1024: 10 bits come below
    static constexpr uint32 kSteps = 0x20042004u;
    static constexpr uint32 kMinusMagicSteps = 0xc804c804u;
    static constexpr uint32 kMinusOnes = 0xbc00bc00u;
#endif

    Table table_;
};

template <int kBits, int kThreads, int kRowBytes>
struct UniformDecoderOf {
    using Type = FragmentDecoder<kBits, kThreads, kRowBytes>;
};
template <int kThreads, int kRowBytes>
struct UniformDecoderOf<8, kThreads, kRowBytes> {
    using Type = FragmentUniform<kThreads, kRowBytes>;
};

/// As FragmentDecoder, with arithmetic for the uniform codebook of 8 bits.
template <int kBits, int kThreads, int kRowBytes>
using UniformDecoder = typename UniformDecoderOf<kBits, kThreads, kRowBytes>::Type;
