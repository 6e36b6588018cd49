// dense_mv: y[m,n] = x[m,k] · w[n,k]ᵀ for a few rows of x, on CUDA cores with fp32 accumulation.
//
//   x  [m, k]   elements
//   w  [n, k]   elements
//   y  [m, n]   elements
//
// A step is UNROLL × 32 lanes × VECTOR_BYTES of a row. WARPS / SPLIT_K × ROWS_PER_WARP rows make a
// CTA; SPLIT_K warps share the same rows and take turns at the steps:
//
//                 k ──►  step 0 = UNROLL tiles              step 1
//   rows 0…R−1           │lane 0│…│lane 31│lane 0│…│lane 31││lane 0│…
//                        └─ warp 0 ───────────────────────┘└─ warp 1 …   (SPLIT_K = 2)
//   rows R…2R−1          └─ warp 2 ───────────────────────┘└─ warp 3 …
//
// A lane has all loads of a step in flight before it uses the first. Activations come through L1,
// once for the warp's rows.
//
// What must divide what (the descriptor sees to it): k a multiple of a vector's elements. Rows of w
// may be any number, k any number of vectors.

#include "kernels/common/element.cuh"
#include "kernels/common/load.cuh"
#include "kernels/common/reduce.cuh"

constexpr int kN = FDK_N;
constexpr int kK = FDK_K;
constexpr int kMTile = FDK_M_TILE;
constexpr int kRows = FDK_ROWS_PER_WARP;
constexpr int kWarps = FDK_WARPS;
constexpr int kSplitK = FDK_SPLIT_K;
constexpr int kUnroll = FDK_UNROLL;
constexpr int kVectorBytes = FDK_VECTOR_BYTES;

constexpr int kThreads = kWarps * 32;
constexpr int kVector = kVectorBytes / 2;  // elements of one lane in one tile
constexpr int kRowVectors = kK / kVector;
constexpr int kSteps = (kRowVectors + 32 * kUnroll - 1) / (32 * kUnroll);

static_assert(kK % kVector == 0);

using Vector = Packed<kVectorBytes>;

/// weights[tile][row] ← the lane's vectors of a step, zero beyond n and k.
__device__ void load_step(const uint16* w,
                          int first_row,
                          int step,
                          Vector (&weights)[kUnroll][kRows]) {
#pragma unroll
    for (int tile = 0; tile < kUnroll; ++tile) {
        const int vector = (step * kUnroll + tile) * 32 + threadIdx.x % 32;
#pragma unroll
        for (int row = 0; row < kRows; ++row) {
            weights[tile][row] = zero_packed<kVectorBytes>();
            if (vector < kRowVectors && first_row + row < kN) {
                weights[tile][row] = load_streaming<kVectorBytes>(w + static_cast<int64>(row) * kK +
                                                                  vector * kVector);
            }
        }
    }
}

/// sums[row][token] += w · x[token] over the lane's vectors of a step.
__device__ void add_step(const uint16* x,
                         int m,
                         int step,
                         const Vector (&weights)[kUnroll][kRows],
                         float (&sums)[kRows][kMTile]) {
#pragma unroll
    for (int tile = 0; tile < kUnroll; ++tile) {
        const int vector = (step * kUnroll + tile) * 32 + threadIdx.x % 32;
        float w_values[kRows][kVector];
#pragma unroll
        for (int row = 0; row < kRows; ++row) {
            unpack(weights[tile][row].words, w_values[row]);
        }
#pragma unroll
        for (int token = 0; token < kMTile; ++token) {
            Vector x_vector = zero_packed<kVectorBytes>();
            if (token < m && vector < kRowVectors) {
                x_vector = load_cached<kVectorBytes>(x + static_cast<int64>(token) * kK +
                                                     vector * kVector);
            }
            float x_values[kVector];
            unpack(x_vector.words, x_values);
#pragma unroll
            for (int row = 0; row < kRows; ++row) {
#pragma unroll
                for (int i = 0; i < kVector; ++i) {
                    sums[row][token] += w_values[row][i] * x_values[i];
                }
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    dense_mv(const void* x, const void* w, const void*, const void*, void* y, void*, int m) {
    using Split = RowSplit<kWarps, kSplitK, kRows, kMTile>;
    __shared__ float partials[Split::kPartials];

    const int warp = threadIdx.x / 32;
    const int first_row = blockIdx.x * Split::kCtaRows + warp / kSplitK * kRows;
    const uint16* rows = static_cast<const uint16*>(w) + static_cast<int64>(first_row) * kK;

    float sums[kRows][kMTile] = {};
#pragma unroll 1
    for (int step = warp % kSplitK; step < kSteps; step += kSplitK) {
        Vector weights[kUnroll][kRows];
        load_step(rows, first_row, step, weights);
        issue_loads();
        add_step(static_cast<const uint16*>(x), m, step, weights, sums);
    }
    Split::store_sums(sums, partials, static_cast<uint16*>(y), m, kN);
}
