// lut_mv: y[m,n] = x[m,k] · w[n,k]ᵀ for a few rows of x, on CUDA cores with fp32 accumulation.
//
//   x         [m, k]              elements
//   w         [n, k·bits/8]       bytes, the first code in the top bits
//   scales    [n, k/group_size]   elements
//   codebook  [2^bits]            elements
//   y         [m, n]              elements
//
// A tile is 32 lanes × VECTOR_BYTES of codes along k. WARPS / SPLIT_K × ROWS_PER_WARP rows make a
// CTA; SPLIT_K warps share the same rows and take turns at the tiles:
//
//                 k ──►  tile 0            tile 1            tile 2            …
//   rows 0…R−1           │lane 0│…│lane 31││lane 0│…│lane 31││lane 0│…│lane 31│
//                        └─ warp 0 ───────┘└─ warp 1 ───────┘└─ warp 0 ───────┘   (SPLIT_K = 2)
//   rows R…2R−1          └─ warp 2 ───────┘└─ warp 3 ───────┘└─ warp 2 ───────┘
//
// Activations wait in shared memory, STAGE_K of k at a time, in the order in which lanes read them:
// unit (8 activations) j of every lane's vector lies side by side, [tile][j][lane][8].
//
// What must divide what (the descriptor sees to it): k a multiple of a vector's codes; group size
// and a vector's codes one a multiple of the other; STAGE_K a multiple of a tile, and of SPLIT_K
// tiles where it is less than k. Rows of w may be any number, k any number of vectors.

#include "kernels/common/decode.cuh"
#include "kernels/common/element.cuh"
#include "kernels/common/load.cuh"
#include "kernels/common/reduce.cuh"

constexpr int kN = FDK_N;
constexpr int kK = FDK_K;
constexpr int kBits = FDK_BITS;
constexpr int kGroupSize = FDK_GROUP_SIZE;
constexpr int kMTile = FDK_M_TILE;
constexpr int kRows = FDK_ROWS_PER_WARP;
constexpr int kWarps = FDK_WARPS;
constexpr int kSplitK = FDK_SPLIT_K;
constexpr int kVectorBytes = FDK_VECTOR_BYTES;
constexpr int kStageK = FDK_STAGE_K;

constexpr int kThreads = kWarps * 32;
constexpr int kVector = kVectorBytes * 8 / kBits;  // codes of one lane in one tile
constexpr int kRowVectors = kK / kVector;
constexpr int kRowBytes = kRowVectors * kVectorBytes;
constexpr int kRowGroups = kK / kGroupSize;
constexpr int kUnit = kVector < 8 ? kVector : 8;  // codes decoded at once
constexpr int kUnits = kVector / kUnit;
constexpr int kUnitCodeBytes = kUnit * kBits / 8;
constexpr int kGroups = kVector > kGroupSize ? kVector / kGroupSize : 1;  // that a vector touches
constexpr int kTiles = (kRowVectors + 31) / 32;
constexpr int kStageTiles = kStageK / (32 * kVector);
constexpr int kStages = (kK + kStageK - 1) / kStageK;

static_assert(kK % kVector == 0 && kUnits % kGroups == 0);
static_assert(kGroupSize % kVector == 0 || kVector % kGroupSize == 0);
static_assert(kStageK % (32 * kVector) == 0 && (kStages == 1 || kStageTiles % kSplitK == 0));

#if defined(FDK_DECODE_SELECT)
using Decoder = BitSelect;
#elif defined(FDK_DECODE_PRMT)
using Decoder = PermuteTable;
#elif defined(FDK_DECODE_TABLE32)
using Decoder = ByteTable<kBits, 4, FDK_REPLICAS>;
#elif defined(FDK_DECODE_TABLE16)
using Decoder = ByteTable<kBits, 2, FDK_REPLICAS>;
#endif

/// Codes and scales of one lane's vector in each of the warp's rows.
struct Block {
    Packed<kVectorBytes> codes[kRows];
    uint16 scales[kRows][kGroups];
};

/// Sums over the codes that a lane has seen.
using Sums = float[kRows][kMTile];

__device__ Block load_block(const char* w, const uint16* scales, int first_row, int tile) {
    const int vector = tile * 32 + threadIdx.x % 32;
    const int group = vector * kVector / kGroupSize;
    Block block;
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
        block.codes[row] = zero_packed<kVectorBytes>();
        const bool inside = vector < kRowVectors && first_row + row < kN;
        if (inside) {
            block.codes[row] =
                load_streaming<kVectorBytes>(w + row * kRowBytes + vector * kVectorBytes);
        }
#pragma unroll
        for (int i = 0; i < kGroups; ++i) {
            block.scales[row][i] = inside ? scales[row * kRowGroups + group + i] : uint16{0};
        }
    }
    return block;
}

/// Where unit `unit` of a stage lies in shared memory, in units.
__device__ int staged_place(int unit) {
    const int vector = unit / kUnits;
    return (vector / 32 * kUnits + unit % kUnits) * 32 + vector % 32;
}

/// staged[kMTile][kStageK] ← x[·, stage], zero beyond m and k.
__device__ void stage_activations(const uint16* x, int m, int stage, uint16* staged) {
    constexpr int kStageUnits = kStageK / kUnit;
#pragma unroll 1
    for (int token = 0; token < kMTile; ++token) {
        for (int unit = threadIdx.x; unit < kStageUnits; unit += kThreads) {
            const int k = stage * kStageK + unit * kUnit;
            Packed<kUnit* 2> value = zero_packed<kUnit * 2>();
            if (token < m && k < kK) {
                value = load_cached<kUnit * 2>(x + static_cast<int64>(token) * kK + k);
            }
            store<kUnit * 2>(staged + token * kStageK + staged_place(unit) * kUnit, value);
        }
    }
}

/// Activations of one unit, for every token. `staged`: the lane's place of it for token 0.
__device__ void load_activations(const uint16* staged, float (&x)[kMTile][kUnit]) {
#pragma unroll
    for (int token = 0; token < kMTile; ++token) {
        unpack(load_shared<kUnit * 2>(staged + token * kStageK).words, x[token]);
    }
}

/// Σ w·x over one unit, for every token, as a decoder that has decode() does it.
template <class AnyDecoder>
__device__ void add_products(const AnyDecoder& decoder,
                             const Packed<kVectorBytes>& codes,
                             int first_byte,
                             const float (&x)[kMTile][kUnit],
                             float (&sums)[kMTile]) {
    float values[kUnit];
    decoder.decode(codes.words, first_byte, values);
#pragma unroll
    for (int i = 0; i < kUnit; ++i) {
#pragma unroll
        for (int token = 0; token < kMTile; ++token) {
            sums[token] += values[i] * x[token][i];
        }
    }
}

/// BitSelect: Σ x over the set bits.
__device__ void add_products(const BitSelect&,
                             const Packed<kVectorBytes>& codes,
                             int first_byte,
                             const float (&x)[kMTile][kUnit],
                             float (&sums)[kMTile]) {
#pragma unroll
    for (int i = 0; i < kUnit; ++i) {
        if (BitSelect::is_set(codes.words, first_byte, i)) {
#pragma unroll
            for (int token = 0; token < kMTile; ++token) {
                sums[token] += x[token][i];
            }
        }
    }
}

template <class AnyDecoder>
__device__ float finish(const AnyDecoder&, float sum, float) {
    return sum;
}

__device__ float finish(const BitSelect& decoder, float sum, float x_sum) {
    return decoder.low * x_sum + decoder.step * sum;
}

/// Adds one group's part of a block. `staged`: the lane's first unit of the tile, for token 0.
__device__ void add_group(
    const Decoder& decoder, const Block& block, int group, const uint16* staged, Sums& sums) {
    constexpr int kGroupUnits = kUnits / kGroups;
    float group_sums[kRows][kMTile] = {};
    float x_sums[kMTile] = {};
#pragma unroll
    for (int i = 0; i < kGroupUnits; ++i) {
        const int unit = group * kGroupUnits + i;
        float x[kMTile][kUnit];
        load_activations(staged + unit * 32 * kUnit, x);
#pragma unroll
        for (int token = 0; token < kMTile; ++token) {
#pragma unroll
            for (int j = 0; j < kUnit; ++j) {
                x_sums[token] += x[token][j];
            }
        }
#pragma unroll
        for (int row = 0; row < kRows; ++row) {
            add_products(decoder, block.codes[row], unit * kUnitCodeBytes, x, group_sums[row]);
        }
    }
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
        const float scale = to_float(block.scales[row][group]);
#pragma unroll
        for (int token = 0; token < kMTile; ++token) {
            sums[row][token] += scale * finish(decoder, group_sums[row][token], x_sums[token]);
        }
    }
}

extern "C" __global__ void __launch_bounds__(kThreads) lut_mv(const void* x_data,
                                                              const void* w_data,
                                                              const void* scales_data,
                                                              const void* codebook_data,
                                                              void* y,
                                                              void*,
                                                              int m) {
    extern __shared__ uint4 shared[];
    char* const table = reinterpret_cast<char*>(shared);
    uint16* const staged = reinterpret_cast<uint16*>(table + Decoder::kBytes);

    using Split = RowSplit<kWarps, kSplitK, kRows, kMTile>;
    const int warp = threadIdx.x / 32;
    const int lane = threadIdx.x % 32;
    const int first_row = blockIdx.x * Split::kCtaRows + warp / kSplitK * kRows;
    const char* w = static_cast<const char*>(w_data) + static_cast<int64>(first_row) * kRowBytes;
    const uint16* scales =
        static_cast<const uint16*>(scales_data) + static_cast<int64>(first_row) * kRowGroups;
    const uint16* x = static_cast<const uint16*>(x_data);
    const uint16* codebook = static_cast<const uint16*>(codebook_data);

    int tile = warp % kSplitK;
    Block next = load_block(w, scales, first_row, tile);
    Decoder::build(table, codebook, kThreads);
    const Decoder decoder(table, codebook);

    Sums sums = {};
#pragma unroll 1
    for (int stage = 0; stage < kStages; ++stage) {
        if (stage > 0) {
            __syncthreads();
        }
        stage_activations(x, m, stage, staged);
        __syncthreads();
#pragma unroll 1
        for (int i = warp % kSplitK; i < kStageTiles && tile < kTiles; i += kSplitK) {
            const Block block = next;
            tile += kSplitK;
            next = load_block(w, scales, first_row, tile);
            issue_loads();
            const uint16* lane_staged = staged + (i * kUnits * 32 + lane) * kUnit;
#pragma unroll
            for (int group = 0; group < kGroups; ++group) {
                add_group(decoder, block, group, lane_staged, sums);
            }
        }
    }
    // The activations' room is free now.
    __syncthreads();
    Split::store_sums(sums, reinterpret_cast<float*>(staged), static_cast<uint16*>(y), m, kN);
}
