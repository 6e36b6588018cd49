// unfused, first step: 16-bit weights from packed ones, for the library's matmul that follows.
//
//   w          [n, k·bits/8]      bytes, the first code in the top bits
//   scales     [n, k/group_size]  elements
//   codebook   [2^bits]           elements
//   workspace  [n, k]             elements: codebook[code] · scale, rounded once
//
// A unit is 8 codes (fewer where a group is not a multiple of 8). The CTAs of the grid, which the
// device holds all at once, go through the matrix together, each thread UNROLL units at a time:
//
//   unit     0 … THREADS−1 │ … │ (UNROLL−1)·THREADS …│ next CTA │ … │ first CTA again …
//   thread   0 … THREADS−1 │ … │ 0 … THREADS−1       │
//
// What must divide what: nothing but the group size by the unit, which the descriptor chooses so.

#include "kernels/common/decode.cuh"
#include "kernels/common/element.cuh"
#include "kernels/common/load.cuh"

constexpr int kBits = FDK_BITS;
constexpr int kGroupSize = FDK_GROUP_SIZE;
constexpr int kThreads = FDK_THREADS;
constexpr int kUnroll = FDK_UNROLL;
constexpr int kUnit = FDK_UNIT;

constexpr int kRowUnits = FDK_K / kUnit;
constexpr int64 kAllUnits = static_cast<int64>(FDK_N) * kRowUnits;
constexpr int kUnitCodeBytes = kUnit * kBits / 8;
constexpr int kRowGroups = FDK_K / kGroupSize;

static_assert(kGroupSize % kUnit == 0 && kUnit * kBits % 8 == 0);

// Eight copies: the table is small and quickly built, and memory, not the look-up, is the limit.
using Decoder = ByteTable<kBits, kBits == 8 ? 4 : 2, 8>;

/// Codes and the scale of one unit.
struct Unit {
    Packed<kUnitCodeBytes> codes;
    uint16 scale;
};

__device__ Unit load_unit(const char* w, const uint16* scales, int64 unit) {
    const int64 row = unit / kRowUnits;
    const int k = static_cast<int>(unit % kRowUnits) * kUnit;
    return {load_streaming<kUnitCodeBytes>(w + unit * kUnitCodeBytes),
            scales[row * kRowGroups + k / kGroupSize]};
}

__device__ void store_unit(const Decoder& decoder, const Unit& unit, uint16* weights) {
    float values[kUnit];
    decoder.decode(unit.codes.words, 0, values);
    const float scale = to_float(unit.scale);
    if constexpr (kUnit == 1) {
        *weights = to_element(values[0] * scale);
    } else {
        Packed<kUnit * 2> rounded;
#pragma unroll
        for (int i = 0; i < kUnit / 2; ++i) {
            rounded.words[i] = to_pair(values[2 * i] * scale, values[2 * i + 1] * scale);
        }
        store<kUnit * 2>(weights, rounded);
    }
}

extern "C" __global__ void __launch_bounds__(kThreads) dequantise(const void*,
                                                                  const void* w,
                                                                  const void* scales,
                                                                  const void* codebook,
                                                                  void*,
                                                                  void* workspace,
                                                                  int) {
    __shared__ uint4 table[Decoder::kBytes / 16];
    Decoder::build(table, static_cast<const uint16*>(codebook), kThreads);
    __syncthreads();
    const Decoder decoder(table, nullptr);

    constexpr int kCtaUnits = kThreads * kUnroll;
    uint16* const weights = static_cast<uint16*>(workspace);
#pragma unroll 1
    for (int64 first = static_cast<int64>(blockIdx.x) * kCtaUnits + threadIdx.x; first < kAllUnits;
         first += static_cast<int64>(gridDim.x) * kCtaUnits) {
        Unit units[kUnroll] = {};
#pragma unroll
        for (int i = 0; i < kUnroll; ++i) {
            if (first + i * kThreads < kAllUnits) {
                units[i] = load_unit(static_cast<const char*>(w),
                                     static_cast<const uint16*>(scales),
                                     first + i * kThreads);
            }
        }
#pragma unroll
        for (int i = 0; i < kUnroll; ++i) {
            if (first + i * kThreads < kAllUnits) {
                store_unit(decoder, units[i], weights + (first + i * kThreads) * kUnit);
            }
        }
    }
}
