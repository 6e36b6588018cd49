#pragma once

#include "kernels/common/element.cuh"
#include "kernels/common/types.cuh"

// Decoders: from packed codes in registers to codebook values in fp32. A decoder has
//   kBytes                              of shared memory that it needs
//   build(shared, codebook, threads)    fills them; every one of the CTA's `threads` threads calls
//                                       it and synchronises before decoding
//   Decoder(shared, codebook)
//   decode(words, first_byte, values)   decodes as many codes as `values` holds, the first of them
//                                       in the top bits of byte `first_byte` of `words`
// `first_byte` and the size of `values` must be known at compile time; codebook is [2^kBits].
// BitSelect alone, for which adding is cheaper than decoding, has no decode().

/// Decodes a byte at a time through a table in shared memory, of fp32 values (kValueBytes 4) or
/// elements (2). Lanes read different copies of the table, so that they meet in fewer banks:
///
///     row of one byte's value(s):  | copy 0 | copy 1 | … | copy kReplicas − 1 |   ≤ 128 bytes
///
/// A row of 128 bytes has no bank conflicts at all.
template <int kBits, int kValueBytes, int kReplicas>
class ByteTable {
  public:
    static constexpr int kValues = 8 / kBits;  ///< per byte
    static constexpr int kEntryWords = kValues * kValueBytes / 4;
    static constexpr int kRowBytes = kReplicas * kEntryWords * 4;
    static constexpr int kBytes = 256 * kRowBytes;

    static_assert(kEntryWords == 1 || kEntryWords == 2 || kEntryWords == 4, "no such entry");
    static_assert(kRowBytes == 16 || kRowBytes == 32 || kRowBytes == 64 || kRowBytes == 128,
                  "no such row");

    __device__ ByteTable(const void* shared, const uint16*)
        : table_(static_cast<const char*>(shared)),
          lane_offset_(threadIdx.x % kReplicas * kEntryWords * 4) {}

    __device__ static void build(void* shared, const uint16* codebook, int threads) {
        constexpr int kSlots = kRowBytes / 16;
        uint4* slots = static_cast<uint4*>(shared);
        for (int row = threadIdx.x; row < 256; row += threads) {
            uint32 entry[kEntryWords];
            make_entry(row, codebook, entry);
            const uint4 slot = make_uint4(
                entry[0], entry[1 % kEntryWords], entry[2 % kEntryWords], entry[3 % kEntryWords]);
#pragma unroll
            for (int i = 0; i < kSlots; ++i) {
                // Neighbouring threads begin at different slots, thus in different banks.
                slots[row * kSlots + (i + row) % kSlots] = slot;
            }
        }
    }

    template <int kCount>
    __device__ void decode(const uint32* words, int first_byte, float (&values)[kCount]) const {
        static_assert(kCount % kValues == 0, "only whole bytes");
#pragma unroll
        for (int i = 0; i < kCount / kValues; ++i) {
            const int byte = first_byte + i;
            look_up(words[byte / 4], byte % 4, values + i * kValues);
        }
    }

  private:
    __device__ static void make_entry(int byte,
                                      const uint16* codebook,
                                      uint32 (&entry)[kEntryWords]) {
        constexpr int kMask = (1 << kBits) - 1;
#pragma unroll
        for (int i = 0; i < kEntryWords; ++i) {
            constexpr int kPerWord = 4 / kValueBytes;
            uint32 word = 0;
#pragma unroll
            for (int j = 0; j < kPerWord; ++j) {
                const int code = (byte >> (8 - kBits * (i * kPerWord + j + 1))) & kMask;
                word |= static_cast<uint32>(codebook[code]) << (16 * j);
            }
            entry[i] = kValueBytes == 4 ? __float_as_uint(low_to_float(word)) : word;
        }
    }

    /// Byte `index` of `word`, times kRowBytes, in two instructions.
    __device__ static uint32 row_offset(uint32 word, int index) {
        constexpr int kShift = kRowBytes == 16 ? 4 : kRowBytes == 32 ? 5 : kRowBytes == 64 ? 6 : 7;
        const int right = 8 * index - kShift;
        return (right >= 0 ? word >> right : word << -right) & (0xffu << kShift);
    }

    __device__ void look_up(uint32 word, int index, float* values) const {
        const char* entry = table_ + (row_offset(word, index) | lane_offset_);
        uint32 read[4];
        if constexpr (kEntryWords == 1) {
            read[0] = *reinterpret_cast<const uint32*>(entry);
        } else if constexpr (kEntryWords == 2) {
            const uint2 both = *reinterpret_cast<const uint2*>(entry);
            read[0] = both.x;
            read[1] = both.y;
        } else {
            const uint4 all = *reinterpret_cast<const uint4*>(entry);
            read[0] = all.x;
            read[1] = all.y;
            read[2] = all.z;
            read[3] = all.w;
        }
#pragma unroll
        for (int i = 0; i < kValues; ++i) {
            if constexpr (kValueBytes == 4) {
                values[i] = as_float(read[i]);
            } else {
                values[i] = i % 2 == 0 ? low_to_float(read[i / 2]) : high_to_float(read[i / 2]);
            }
        }
    }

    const char* table_;
    uint32 lane_offset_;
};

/// Decodes 2-bit codes with byte permutes: the low bytes of the four values are in one register,
/// the high bytes in another, and a code q becomes the selector nibbles q (low byte) and 4 + q.
class PermuteTable {
  public:
    static constexpr int kBytes = 0;
    __device__ static void build(void*, const uint16*, int) {}

    __device__ PermuteTable(const void*, const uint16* codebook) {
        const uint32 first = codebook[0] | static_cast<uint32>(codebook[1]) << 16;
        const uint32 second = codebook[2] | static_cast<uint32>(codebook[3]) << 16;
        low_bytes_ = permute(first, second, 0x6420);
        high_bytes_ = permute(first, second, 0x7531);
    }

    /// One or two bytes; two begin at an even byte.
    template <int kCount>
    __device__ void decode(const uint32* words, int first_byte, float (&values)[kCount]) const {
        static_assert(kCount == 4 || kCount == 8, "one or two bytes");
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            // For the whole word, so that its two halves share the work.
            const uint32 codes = (words[first_byte / 4] >> (6 - 2 * i)) & 0x03030303u;
            const uint32 selectors = codes * 0x11u + 0x40404040u;
            const uint32 pair = permute(low_bytes_, high_bytes_, selectors >> (first_byte % 4 * 8));
            values[i] = low_to_float(pair);
            if constexpr (kCount == 8) {
                values[4 + i] = high_to_float(pair);
            }
        }
    }

  private:
    __device__ static uint32 permute(uint32 low, uint32 high, uint32 selector) {
        uint32 result;
        asm("prmt.b32 %0, %1, %2, %3;" : "=r"(result) : "r"(low), "r"(high), "r"(selector));
        return result;
    }

    uint32 low_bytes_;
    uint32 high_bytes_;
};

/// One bit: Σ w·x = low · Σ x + step · Σ x over the set bits.
struct BitSelect {
    static constexpr int kBytes = 0;
    __device__ static void build(void*, const uint16*, int) {}

    float low;
    float step;

    __device__ BitSelect(const void*, const uint16* codebook)
        : low(to_float(codebook[0])), step(to_float(codebook[1]) - low) {}

    /// The bit of code `index` of byte `byte`.
    __device__ static bool is_set(const uint32* words, int byte, int index) {
        return (words[byte / 4] & (1u << (byte % 4 * 8 + 7 - index))) != 0;
    }
};
