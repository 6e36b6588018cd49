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
        return low_to_float(codebook_.words[0]) != -outer() ||
               high_to_float(codebook_.words[0]) != -inner() ||
               !(magnitude(outer() - 3.0f * inner()) <= kOff * magnitude(outer()));
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
        // A tenth would be the step, by least squares of what is off.
        return 0.4f * (3.0f * outer() + inner()) * sum;
    }

  private:
    /// Of the pair whose codes stand from `bit` and from 16 above it on.
    __device__ uint32 values(uint32 word, int bit) const {
        const int at = bit > 8 ? bit - 8 : bit;
        const uint32 codes = (bit > 8 ? word >> 8 : word) & 0x00030003u << at;
        // In the high half, nibbles that select low and high byte of the one, then of the other. Of
        // four copies of each code, two of the first go to the low half, of the second two
        // overflow.
        const uint32 selectors = codes * (0x1111u << (8 - at)) + 0x40400000u;
        const uint32 low_bytes = permute_bytes(codebook_.words[0], codebook_.words[1], 0x6420);
        const uint32 high_bytes = permute_bytes(codebook_.words[0], codebook_.words[1], 0x7531);
        return permute_bytes(low_bytes, high_bytes, spread_high_half(selectors));
    }

    /// The same in quarters of −3 … 3, which stay finite times any fp16 scale. A code among an
    /// element's lower bits adds it to a power of two.
    __device__ static uint32 steps(uint32 word, int bit) {
        const int at = bit % 4 == 0 ? 2 : 4;
        const uint32 shifted = bit < at ? word << 2 : word >> (bit - at);
        const uint32 number =
            select_bits(shifted, 0x00030003u << at, at == 2 ? kPowers2 : kPowers4);
        return multiply_add_pairs(number, kHalves, at == 2 ? kCentre2 : kCentre4);
    }

    // kOff: how far outer − 3 · inner may be off, of outer; weights are then off by 0.3 of it at
    // most, with the uniform codebook by 0.0012 (bf16) or 0.00015.
    // Powers of two whose bit 2, or 4, counts 1, and −(2 · power + 3) / 4.
#ifdef FDK_BF16
    static constexpr float kOff = 0x1.4p-8f;
    static constexpr uint32 kHalves = 0x3f003f00u;
    static constexpr uint32 kPowers2 = 0x42004200u;
    static constexpr uint32 kPowers4 = 0x41004100u;
    static constexpr uint32 kCentre2 = 0xc186c186u;
    static constexpr uint32 kCentre4 = 0xc098c098u;
#else
    static constexpr float kOff = 0x1.4p-11f;
    static constexpr uint32 kHalves = 0x38003800u;
    static constexpr uint32 kPowers2 = 0x5c005c00u;
    static constexpr uint32 kPowers4 = 0x54005400u;
    static constexpr uint32 kCentre2 = 0xd806d806u;
    static constexpr uint32 kCentre4 = 0xd018d018u;
#endif

    __device__ static float magnitude(float value) {
        return value < 0 ? -value : value;
    }
    /// Of the codebook's upper half.
    __device__ float inner() const {
        return low_to_float(codebook_.words[1]);
    }
    __device__ float outer() const {
        return high_to_float(codebook_.words[1]);
    }

    Packed<8> codebook_;
};
