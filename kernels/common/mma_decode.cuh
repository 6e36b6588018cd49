#pragma once

#include "kernels/common/load.cuh"
#include "kernels/common/mma.cuh"
#include "kernels/common/mma_tiling.cuh"

// Packed weights to pairs of elements for the mma families. The first weight is in the most
// significant bits of its byte; in a pair it belongs in the low half. A decoder has
//   kBytes                             of shared memory that it needs
//   build(shared, codebook, threads)   fills them; every one of the CTA's `threads` threads calls
//   it
//                                      and synchronises before decoding
//   Decoder(shared, codebook)
//   decode8(run, chunk, pairs)         the chunk-th 8 weights of a run, as 4 pairs in order of k

/// 16-bit weights need no decoding.
struct PlainPairs {
    static constexpr int kBytes = 0;
    __device__ static void build(uint8*, const uint16*, int) {}
    __device__ PlainPairs(const uint8*, const uint16*) {}

    template <int kRunBytes>
    __device__ void decode8(const Packed<kRunBytes>& run, int chunk, uint32 (&pairs)[4]) const {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            pairs[i] = run.words[4 * chunk + i];
        }
    }
};

/// A table in shared memory from a byte (a half-byte at 1 bit) to the elements it stands for.
/// Each entry is stored kReplicas times side by side, so that lanes that look up different entries
/// meet in few banks: [2^index bits][kReplicas][entry] (MmaTable).
template <int kBits, int kReplicas>
class TablePairs {
  public:
    static constexpr int kBytes = MmaTable{kBits, kReplicas}.bytes();

    __device__ TablePairs(const uint8* shared, const uint16*)
        : table_(shared), lane_offset_(threadIdx.x % kReplicas * kEntryBytes) {}

    __device__ static void build(uint8* shared, const uint16* codebook, int threads) {
        constexpr int kQuads = kRowBytes / 16;
        for (int index = threadIdx.x; index < 1 << kIndexBits; index += threads) {
            const Packed<16> entries = entry_repeated(codebook, index);
#pragma unroll
            for (int i = 0; i < kQuads; ++i) {
                // Neighbouring threads begin at different banks.
                const int quad = (index + i) % kQuads;
                store(shared + (index * kQuads + quad) * 16, entries);
            }
        }
    }

    template <int kRunBytes>
    __device__ void decode8(const Packed<kRunBytes>& run, int chunk, uint32 (&pairs)[4]) const {
        if constexpr (kBits == 8) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const uint32 word = run.words[2 * chunk + i / 2];
                const uint32 low = look_up<4>(word, 16 * (i % 2)).words[0];
                const uint32 high = look_up<4>(word, 16 * (i % 2) + 8).words[0];
                pairs[i] = permute_bytes(low, high, 0x5410);
            }
        } else if constexpr (kBits == 4) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                pairs[i] = look_up<4>(run.words[chunk], 8 * i).words[0];
            }
        } else {
            const uint32 word = run.words[chunk * kBits / 4];
            const int first_bit = chunk * 8 * kBits % 32;
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const int bit = kBits == 2 ? first_bit + 8 * i : first_bit + 4 - 4 * i;
                const Packed<8> quad = look_up<8>(word, bit);
                pairs[2 * i] = quad.words[0];
                pairs[2 * i + 1] = quad.words[1];
            }
        }
    }

  private:
    static constexpr int kIndexBits = MmaTable{kBits, kReplicas}.index_bits();
    static constexpr int kValues = MmaTable{kBits, kReplicas}.values();
    static constexpr int kEntryBytes = MmaTable{kBits, kReplicas}.entry_bytes();
    static constexpr int kRowBytes = MmaTable{kBits, kReplicas}.row_bytes();
    static constexpr int kRowShift = kRowBytes == 128 ? 7 : kRowBytes == 64 ? 6 : 5;
    static_assert(1 << kRowShift == kRowBytes, "no such number of replicas");

    /// 16 bytes of copies of one entry.
    __device__ static Packed<16> entry_repeated(const uint16* codebook, int index) {
        Packed<16> entries = zero_packed<16>();
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const int value = i % (kEntryBytes / 2);
            if (value < kValues) {
                const int shift = kBits * (kValues - 1 - value);
                const uint32 element = codebook[(index >> shift) & ((1 << kBits) - 1)];
                entries.words[i / 2] |= element << (16 * (i % 2));
            }
        }
        return entries;
    }

    /// The lane's copy of the entry that the index at `bit` of `word` names.
    template <int kEntry>
    __device__ Packed<kEntry> look_up(uint32 word, int bit) const {
        // One shift brings the index to its place in the offset.
        constexpr uint32 kMask = ((1u << kIndexBits) - 1) << kRowShift;
        const int distance = kRowShift - bit;
        const uint32 moved = distance >= 0 ? word << distance : word >> -distance;
        const uint32 offset = (moved & kMask) | lane_offset_;
        return load_shared<kEntry>(table_ + offset);
    }

    const uint8* table_;
    uint32 lane_offset_;
};

/// 2 bits: the low bytes of the four values in one register, the high bytes in another; a byte
/// permutation picks a pair.
class PermutePairs {
  public:
    static constexpr int kBytes = 0;
    __device__ static void build(uint8*, const uint16*, int) {}

    __device__ PermutePairs(const uint8*, const uint16* codebook) {
        const Packed<8> values = load_cached<8>(codebook);
        low_bytes_ = permute_bytes(values.words[0], values.words[1], 0x6420);
        high_bytes_ = permute_bytes(values.words[0], values.words[1], 0x7531);
    }

    template <int kRunBytes>
    __device__ void decode8(const Packed<kRunBytes>& run, int chunk, uint32 (&pairs)[4]) const {
        const uint32 word = run.words[chunk / 2];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            // Byte 2·(chunk % 2) + i / 2 holds two pairs, the first in its upper half.
            const uint32 byte = 2 * (chunk % 2) + i / 2;
            const uint32 first = selectors(word, i % 2 == 0 ? 6 : 2);
            const uint32 second = selectors(word, i % 2 == 0 ? 4 : 0);
            const uint32 selector = permute_bytes(first, second, byte | (byte + 4) << 4);
            pairs[i] = permute_bytes(low_bytes_, high_bytes_, selector);
        }
    }

  private:
    /// In each byte the two nibbles that select code's low byte and high byte, for the code at
    /// `bit` of the word's bytes.
    __device__ static uint32 selectors(uint32 word, int bit) {
        return ((word >> bit) & 0x03030303u) * 0x11u + 0x40404040u;
    }

    uint32 low_bytes_;
    uint32 high_bytes_;
};

/// 1 bit: the second value differs from the first by an exclusive-or that the bit switches on.
class SelectPairs {
  public:
    static constexpr int kBytes = 0;
    __device__ static void build(uint8*, const uint16*, int) {}

    __device__ SelectPairs(const uint8*, const uint16* codebook) {
        const uint32 values = load_cached<4>(codebook).words[0];
        zeros_ = permute_bytes(values, 0, 0x1010);
        difference_ = zeros_ ^ permute_bytes(values, 0, 0x3232);
    }

    template <int kRunBytes>
    __device__ void decode8(const Packed<kRunBytes>& run, int chunk, uint32 (&pairs)[4]) const {
        const uint32 word = run.words[chunk / 4];
        // The sign of byte chunk % 4 in the low half, of the same byte of the other word above.
        const uint32 byte = 8 + chunk % 4;
        const uint32 selector = byte * 0x11 + (byte + 4) * 0x1100;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const uint32 ones = permute_bytes(word << (2 * i), word << (2 * i + 1), selector);
            pairs[i] = zeros_ ^ (ones & difference_);
        }
    }

  private:
    uint32 zeros_;
    uint32 difference_;
};
