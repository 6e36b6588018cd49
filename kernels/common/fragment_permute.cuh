#pragma once

#include "kernels/common/fragment_operands.cuh"

/// 2 bits. General: the low bytes of the codebook's values in one register, the high bytes in
/// another; a byte permutation picks a pair. Where the values are −3, −1, 1 and 3 steps, up to
/// rounding: these numbers. A word of 8 pairs has the codes of a pair 16 bits apart.
class FragmentPermute : public WeightOperands<FragmentPermute> {
  public:
    static constexpr int kBytes = 0;
    static constexpr bool kTwoVariants = true;

    __device__ explicit FragmentPermute(const uint16* codebook)
        : codebook_(load_streaming<8>(codebook)) {}

    __device__ bool build(uint8*) const {
        const float off = outer() - 3.0f * inner();
        return low_to_float(codebook_.words[0]) != -outer() ||
               high_to_float(codebook_.words[0]) != -inner() ||
               !(off * off <= kOff * kOff * outer() * outer());
    }

    template <bool kGeneral>
    __device__ void operand(const Packed<16>& words, int step, uint32 (&a)[4]) const {
        const uint32 word = words.words[step / 2];
#pragma unroll
        for (int r = 0; r < 4; ++r) {
            const int bit = 4 * (step % 2) + 2 * (r / 2) + 8 * (r % 2);
            a[r] = kGeneral ? values(word, bit) : steps(word, bit);
        }
    }

    __device__ float result(float sum, float /*x_sum*/) const {
        // The step is the least squares of what is off.
        return 0.1f * (3.0f * outer() + inner()) * sum;
    }

  private:
    /// Of the pair whose codes stand from `bit` and from 16 above it on.
    __device__ uint32 values(uint32 word, int bit) const {
        const int at = bit > 8 ? bit - 8 : bit;
        const uint32 codes = (bit > 8 ? word >> 8 : word) & 0x00030003u << at;
        // In the high half, nibbles that select low and high byte of the one, then of the other;
        // the second copy of the first code goes to the low half, that of the second overflows.
        const uint32 selectors = codes * (0x1100u << (8 - at) | 0x11u << (8 - at)) + 0x40400000u;
        const uint32 low_bytes = permute_bytes(codebook_.words[0], codebook_.words[1], 0x6420);
        const uint32 high_bytes = permute_bytes(codebook_.words[0], codebook_.words[1], 0x7531);
        return permute_bytes(low_bytes, high_bytes, spread_high_half(selectors));
    }

    /// The same as −3 … 3. A code among an element's lower bits adds it to a power of two.
    __device__ static uint32 steps(uint32 word, int bit) {
        const int at = bit % 4 == 0 ? 2 : 4;
        const uint32 shifted = bit < at ? word << 2 : word >> (bit - at);
        const uint32 number =
            select_bits(shifted, 0x00030003u << at, at == 2 ? kPowers2 : kPowers4);
        return multiply_add_pairs(number, kTwos, at == 2 ? kCentre2 : kCentre4);
    }

    // kOff: how far outer − 3 · inner may be off, of outer: a bit more than with the uniform
    // codebook, whose weights are then off by at most 0.0012 (bf16) or 0.00015.
    // Powers of two whose bit 2, or 4, counts 1, and −(2 · power + 3).
    static constexpr uint32 kTwos = 0x40004000u;
#ifdef FDK_BF16
    static constexpr float kOff = 0x1.4p-8f;
    static constexpr uint32 kPowers2 = 0x42004200u;
    static constexpr uint32 kPowers4 = 0x41004100u;
    static constexpr uint32 kCentre2 = 0xc286c286u;
    static constexpr uint32 kCentre4 = 0xc198c198u;
#else
    static constexpr float kOff = 0x1.4p-11f;
    static constexpr uint32 kPowers2 = 0x5c005c00u;
    static constexpr uint32 kPowers4 = 0x54005400u;
    static constexpr uint32 kCentre2 = 0xe006e006u;
    static constexpr uint32 kCentre4 = 0xd818d818u;
#endif

    /// Of the codebook's upper half.
    __device__ float inner() const {
        return low_to_float(codebook_.words[1]);
    }
    __device__ float outer() const {
        return high_to_float(codebook_.words[1]);
    }

    Packed<8> codebook_;
};
