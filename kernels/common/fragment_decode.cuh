#pragma once

#include "kernels/common/fragment_permute.cuh"

// Decoders for all numbers of bits; fragment_operands.cuh says what they have.

/// 8 and 4 bits: a table in shared memory from a byte to the one or two elements it stands for,
/// with a copy for each lane, so that no two lanes meet in a bank: [256] rows of [32 lanes] × 4
/// bytes, kRowBytes apart. Rows of 128 bytes are dense; with 256, half of which is unused, one
/// permutation puts the byte above the lane's offset to make the address.
template <int kBits, int kThreads, int kRowBytes>
class FragmentTable : public WeightOperands<FragmentTable<kBits, kThreads, kRowBytes>> {
  public:
    static_assert(kRowBytes == 128 || kRowBytes == 256);
    static constexpr int kBytes = 256 * kRowBytes;

    __device__ explicit FragmentTable(const uint16* codebook) {
#pragma unroll
        for (int i = 0; i < kEntries; ++i) {
            const int byte = entry(i);
            first_[i] = load_streaming<2>(codebook + (kBits == 8 ? byte : byte / 16)).words[0];
            if constexpr (kBits == 4) {
                second_[i] = load_streaming<2>(codebook + byte % 16).words[0];
            }
        }
    }

    __device__ bool build(uint8* shared) {
#pragma unroll
        for (int i = 0; i < kEntries; ++i) {
            const uint32 value = values(i);
            if (kThreads * kEntries == 256 || threadIdx.x + i * kThreads < 256) {
#pragma unroll
                for (int j = 0; j < 8; ++j) {
                    // Neighbouring threads begin at different banks.
                    const int piece = entry(i) * (kRowBytes / 16) + (threadIdx.x + j) % 8;
                    reinterpret_cast<uint4*>(shared)[piece] =
                        make_uint4(value, value, value, value);
                }
            }
        }
        // The same in all lanes, and the compiler shall know it.
        base_ = __shfl_sync(~0u, static_cast<uint32>(__cvta_generic_to_shared(shared)), 0);
        lane_ = threadIdx.x % 32 * 4 + (kRowBytes == 128 ? base_ : 0);
        return false;
    }

    template <bool kGeneral>
    __device__ void operand(const Packed<16>& words, int step, uint32 (&a)[4]) const {
        if constexpr (kBits == 8) {
#pragma unroll
            for (int r = 0; r < 4; ++r) {
                const uint32 word = words.words[2 * step + r / 2];
                const uint32 low = look_up(word, r % 2 * 2);
                const uint32 high = look_up(word, r % 2 * 2 + 1);
                a[r] = permute_bytes(low, high, 0x5410);
            }
        } else {
#pragma unroll
            for (int r = 0; r < 4; ++r) {
                a[r] = look_up(words.words[step], r);
            }
        }
    }

    /// A thread fills so many entries.
    static constexpr int kEntries = (256 + kThreads - 1) / kThreads;
    __device__ static int entry(int i) {
        return (threadIdx.x + i * kThreads) % 256;
    }
    /// What entry(i) stands for: 8 bits: one element twice; 4 bits: the high nibble's in the low
    /// half.
    __device__ uint32 values(int i) const {
        return first_[i] | (kBits == 4 ? second_[i] : first_[i]) << 16;
    }

  private:
    __device__ uint32 look_up(uint32 word, int byte) const {
        uint32 at;
        if constexpr (kRowBytes == 128) {
            at = permute_bytes(word, 0, 0x4440 + byte) * 128 + lane_;
        } else {
            at = permute_bytes(word, lane_, 0x7604 + byte * 16) + base_;
        }
        uint32 entry;
        // Volatile, because it must not move before the barrier behind build().
        asm volatile("ld.shared.u32 %0, [%1];" : "=r"(entry) : "r"(at));
        return entry;
    }

    uint32 first_[kEntries];
    uint32 second_[kEntries];
    uint32 base_;
    uint32 lane_;
};

/// 1 bit: ±1, exact in 16 bits. A weight is mid ± half of the codebook's two values; both enter in
/// fp32, after the sum.
class FragmentSign {
  public:
    static constexpr int kBytes = 0;
    static constexpr bool kTwoVariants = true;
    static constexpr bool kSumsOfX = true;

    __device__ explicit FragmentSign(const uint16* codebook)
        : codebook_(load_streaming<4>(codebook).words[0]) {}

    __device__ bool build(uint8*) const { return mid() != 0.0f; }

    template <bool kGeneral>
    __device__ void operand(const Packed<16>& words, int step, uint32 (&a)[4]) const {
        // In a register, both masks fit into one instruction.
        uint32 ones;
        asm volatile("mov.b32 %0, %1;" : "=r"(ones) : "n"(kPairOfOnes));
        const uint32 word = words.words[step / 4];
#pragma unroll
        for (int r = 0; r < 4; ++r) {
            asm("lop3.b32 %0, %1, %2, %3, 0x6a;"
                : "=r"(a[r])
                : "r"(word << (4 * (step % 4) + r)), "r"(0x80008000u), "r"(ones));
        }
    }

    template <bool kGeneral, bool kScaled>
    __device__ void scaled_operand(const Packed<16>& words,
                                   int step,
                                   uint32 scales,
                                   uint32 (&a)[4]) const {
        const uint32 word = words.words[step / 4];
        const uint32 zeros = permute_bytes(codebook_, 0, 0x1010);  // a pair of the first value
        const uint32 difference = zeros ^ permute_bytes(codebook_, 0, 0x3232);
#pragma unroll
        for (int r = 0; r < 4; ++r) {
            const uint32 scale = permute_bytes(scales, 0, r % 2 ? 0x3232 : 0x1010);
            const uint32 signs = word << (4 * (step % 4) + r);
            if constexpr (kGeneral) {
                const uint32 ones = permute_bytes(signs, 0, 0xbb99);
                a[r] = multiply_pairs(zeros ^ (ones & difference), scale);
            } else {
                asm("lop3.b32 %0, %1, %2, %3, 0x6a;"
                    : "=r"(a[r])
                    : "r"(signs), "r"(0x80008000u), "r"(scale));
            }
        }
    }

    __device__ float result(float sum, float x_sum) const {
        return half() * sum + mid() * x_sum;
    }

  private:
    __device__ float mid() const {
        return 0.5f * (low_to_float(codebook_) + high_to_float(codebook_));
    }
    __device__ float half() const {
        return 0.5f * (low_to_float(codebook_) - high_to_float(codebook_));
    }

    uint32 codebook_;
};

template <int kBits, int kThreads, int kRowBytes>
struct FragmentDecoderOf {
    using Type = FragmentTable<kBits, kThreads, kRowBytes>;
};
template <int kThreads, int kRowBytes>
struct FragmentDecoderOf<2, kThreads, kRowBytes> {
    using Type = FragmentPermute;
};
template <int kThreads, int kRowBytes>
struct FragmentDecoderOf<1, kThreads, kRowBytes> {
    using Type = FragmentSign;
};

/// The decoder of weights of kBits for kThreads; kRowBytes are those of a table.
template <int kBits, int kThreads, int kRowBytes>
using FragmentDecoder = typename FragmentDecoderOf<kBits, kThreads, kRowBytes>::Type;
