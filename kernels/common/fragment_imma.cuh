#pragma once

#include "kernels/common/dependent_launch.cuh"
#include "kernels/common/fixed_point.cuh"
#include "kernels/common/fragment_result.cuh"
#include "kernels/common/fragment_weights.cuh"

// The work of a CTA of kernels/fragment_imma.cu.

/// Weights as sums of their bits: first·b1 + second·b0 + both·b1·b0 + a constant, where
/// Σ first·(b1 − ½) + second·(b0 − ½) + both·b1·b0 + middle is the weight. 1 bit has b1 only.
template <int kBits>
struct BitCoefficients {
    float first;
    float second = 0;
    float both = 0;
    float middle;

    __device__ explicit BitCoefficients(const void* codebook) {
        const Packed<(kBits == 1 ? 4 : 8)> values = load_streaming<(kBits == 1 ? 4 : 8)>(codebook);
        const float c0 = low_to_float(values.words[0]);
        const float c1 = high_to_float(values.words[0]);
        if constexpr (kBits == 1) {
            first = c1 - c0;
            middle = 0.5f * (c0 + c1);
        } else {
            const float c2 = low_to_float(values.words[1]);
            const float c3 = high_to_float(values.words[1]);
            first = c2 - c0;
            second = c1 - c0;
            both = (c3 - c2) - (c1 - c0);
            middle = 0.5f * (c1 + c2);
        }
    }

    /// The sums of rows g and g + 8 of 128 times the weights, out of those of 128 times the first
    /// bit and 64 times the second (1 bit: the other row's), less a half, of 128 times both and of
    /// −64.
    __device__ void combine(const float (&bits)[kBits][2],
                            const float (&of_both)[2],
                            float of_x,
                            float (&rows)[2]) const {
#pragma unroll
        for (int row = 0; row < 2; ++row) {
            float sum = -2.0f * middle * of_x;
            if constexpr (kBits == 1) {
                sum += (row == 0 ? first : 2.0f * first) * bits[0][row];
            } else {
                sum += first * bits[row][0] + 2.0f * second * bits[row][1] + both * of_both[row];
            }
            rows[row] = sum;
        }
    }

    /// Not where c and −c are codes that are each other's complements.
    __device__ bool general() const {
        return both != 0.0f || middle != 0.0f;
    }
};

struct ImmaArguments {
    const uint16* x;
    const void* w;
    const void* scales;
    const void* codebook;
    uint16* y;
    int m;
};

template <FragmentImmaTiling kTiling>
class FragmentImma {
  public:
    __device__ static void run(const ImmaArguments& arguments, uint8* shared) {
        const int m_begin = blockIdx.y * kWarps.m_tile;
        const int columns = min(arguments.m - m_begin, kWarps.m_tile);
        const Coefficients coefficients(arguments.codebook);
        Weights weights(arguments.w, arguments.scales);
        Chunk chunks[2] = {weights.load(0), weights.load(kRounds > 1 ? 1 : 0)};
        issue_loads();
        X x(shared, columns);
        wait_for_predecessors();
        x.build(arguments.x + static_cast<int64>(m_begin) * kFormat.k);
        __syncthreads();

        float sums[kWarps.row_tiles][2];
        if (coefficients.general()) {
            sum_rows<true>(weights, chunks, x, coefficients, sums);
        } else {
            sum_rows<false>(weights, chunks, x, coefficients, sums);
        }

        __syncthreads();
        const Partials<kWarps.m_tile, kWarps.sums_stride()> partials(shared, columns);
        const int lane = threadIdx.x % 32;
#pragma unroll
        for (int i = 0; i < kWarps.row_tiles * 2; ++i) {
            const int row = (Weights::row_warp() * kWarps.row_tiles + i / 2) * 16 + i % 2 * 8;
            partials.put(Weights::k_warp(), row + lane / 4, lane % 4, sums[i / 2][i % 2]);
        }
        __syncthreads();
        const Result<kFormat> result(
            arguments.y, arguments.scales, m_begin, blockIdx.x * kWarps.rows());
        for (int i = threadIdx.x; i < columns * kWarps.rows(); i += kWarps.threads()) {
            const int row = i % kWarps.rows();
            const int column = i / kWarps.rows();
            result.put(row, column, partials.template sum<kWarps.k_warps>(row, column));
        }
    }

  private:
    static constexpr FragmentMmaTiling kWarps = kTiling.warps;
    static constexpr FragmentTiling kFormat = kWarps.format;
    static constexpr int kBits = kFormat.bits;
    static constexpr int kRowTiles = kWarps.row_tiles;
    static constexpr int kRounds = kWarps.rounds();
    static constexpr int kChunkSpans = kFormat.chunk_k() / FragmentImmaTiling::kSpanK;

    using Coefficients = BitCoefficients<kBits>;
    using Weights = FragmentWeights<kWarps>;
    using Chunk = typename Weights::Chunk;
    using X = FixedPoint<kTiling>;

    /// Operand B of a span and what belongs to it.
    struct XSpan {
        Packed<16> planes;
        Packed<16> begin;
        Packed<16> scale;
    };

    /// Of 16 rows. A word has two bits of each of its k, times 128 and 64: those of rows g and
    /// g + 8, or of one row's codes; of these there is a word for each row. Only a general codebook
    /// has its numbers multiplied to each span: so a sum is enough for a row.
    template <bool kGeneral>
    struct Sums {
        static constexpr int kCount = kGeneral ? 2 : 2 * kBits;
        /// Of the two that a lane has.
        __device__ static constexpr int row(int i) { return kGeneral || kBits == 1 ? i : i / 2; }

        float values[kCount] = {};
    };

    /// What a lane has of a row of x is one column of two: its row lane % 4.
    template <bool kGeneral>
    __device__ static void sum_rows(Weights& weights,
                                    Chunk (&chunks)[2],
                                    X& x,
                                    const Coefficients& coefficients,
                                    float (&rows)[kRowTiles][2]) {
        Sums<kGeneral> sums[kRowTiles];
        x.advance(Weights::k_warp() * kChunkSpans);
#pragma unroll 1
        for (int round = 0; round + 1 < kRounds; round += 2) {
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                multiply_chunk(chunks[i], x, coefficients, sums);
                if (round + i + 2 < kRounds) {
                    chunks[i] = weights.load(Weights::kLinear ? i + 2 : round + i + 2);
                }
                issue_loads();
                x.advance(kChunkSpans * kWarps.k_warps);
            }
            if constexpr (Weights::kLinear) {
                weights.advance(2);
            }
        }
        if constexpr (kRounds % 2 == 1) {
            multiply_chunk(chunks[0], x, coefficients, sums);
        }
#pragma unroll
        for (int i = 0; i < kRowTiles * 2; ++i) {
            rows[i / 2][i % 2] = row_sum(sums[i / 2], i % 2, coefficients);
        }
    }

    template <bool kGeneral>
    __device__ static void multiply_chunk(const Chunk& chunk,
                                          const X& x,
                                          const Coefficients& coefficients,
                                          Sums<kGeneral> (&sums)[kRowTiles]) {
#pragma unroll
        for (int i = 0; i < kFormat.spans(); ++i) {
            multiply_scale(chunk, i, x, coefficients, sums);
        }
    }

    /// The spans of a chunk that have its scale `index`.
    template <bool kGeneral>
    __device__ static void multiply_scale(const Chunk& chunk,
                                          int index,
                                          const X& x,
                                          const Coefficients& coefficients,
                                          Sums<kGeneral> (&sums)[kRowTiles]) {
        constexpr int kSpans = kTiling.spans_of_scale();
        Sums<kGeneral> parts[kRowTiles];
#pragma unroll
        for (int i = 0; i < kSpans; ++i) {
            const int span = index * kSpans + i;
            const XSpan of_x{x.planes(span), x.begin(span), x.scale(span)};
#pragma unroll
            for (int tile = 0; tile < kRowTiles; ++tile) {
                const Sums<kGeneral> part =
                    multiply_span<kGeneral>(chunk.weights[tile], span, of_x, coefficients);
#pragma unroll
                for (int j = 0; j < part.kCount; ++j) {
                    float& sum = parts[tile].values[j];
                    sum = i == 0 ? part.values[j] : sum + part.values[j];
                }
            }
        }
#pragma unroll
        for (int tile = 0; tile < kRowTiles; ++tile) {
            float scales[2] = {1, 1};
            if constexpr (!kFormat.one_group()) {
                scales[0] = low_to_float(chunk.scale(tile, index));
                scales[1] = high_to_float(chunk.scale(tile, index));
            }
#pragma unroll
            for (int j = 0; j < sums[tile].kCount; ++j) {
                sums[tile].values[j] += scales[sums[tile].row(j)] * parts[tile].values[j];
            }
        }
    }

    template <bool kGeneral>
    __device__ static Sums<kGeneral> multiply_span(const Packed<16> (&weights)[kFormat.unroll],
                                                   int span,
                                                   const XSpan& x,
                                                   const Coefficients& coefficients) {
        constexpr int kBlockSpans = kFormat.block_k() / FragmentImmaTiling::kSpanK;
        const uint32* words = weights[span / kBlockSpans].words + span % kBlockSpans * kBits;
        uint32 bits[kBits];
        if constexpr (kBits == 1) {
            bits[0] = words[0];
        } else {
            bits[0] = permute_bytes(words[0], words[1], 0x6420);
            bits[1] = permute_bytes(words[0], words[1], 0x7531);
        }
        float of_bits[kBits][2];
#pragma unroll
        for (int i = 0; i < kBits; ++i) {
            uint32 totals[4] = {
                x.begin.words[0], x.begin.words[1], x.begin.words[2], x.begin.words[3]};
            multiply_bits(bits[i], bits[i], kSecondBits, x.planes, totals);
            of_bits[i][0] = centred(totals[0], totals[1], x.scale);
            of_bits[i][1] = centred(totals[2], totals[3], x.scale);
        }
        Sums<kGeneral> sums;
        if constexpr (kGeneral) {
            const float of_x = centred(x.begin.words[0], x.begin.words[1], x.scale);
            float of_both[2] = {};
            if constexpr (kBits == 2) {
                uint32 totals[4] = {kWholeBits, kWholeBits, kWholeBits, kWholeBits};
                multiply_bits(
                    bits[0] & bits[0] << 1, bits[1] & bits[1] << 1, kFirstBits, x.planes, totals);
                of_both[0] = centred(totals[0], totals[1], x.scale);
                of_both[1] = centred(totals[2], totals[3], x.scale);
            }
            coefficients.combine(of_bits, of_both, of_x, sums.values);
        } else {
#pragma unroll
            for (int i = 0; i < 2 * kBits; ++i) {
                sums.values[i] = of_bits[i / 2][i % 2];
            }
        }
        return sums;
    }

    static constexpr uint32 kFirstBits = 0x80808080u;
    static constexpr uint32 kSecondBits = 0x40404040u;

    /// totals += the first bits of `upper` and the bits under `mask` of `lower`, each over its 8
    /// rows of an mma step, times a span of x. x has four times its value where bits are not
    /// shifted to these places but two below.
    __device__ static void multiply_bits(
        uint32 upper, uint32 lower, uint32 mask, const Packed<16>& x, uint32 (&totals)[4]) {
#pragma unroll
        for (int i = 0; i < 4; i += 2) {
            const uint32 a[4] = {upper << 2 * i & kFirstBits,
                                 lower << 2 * i & mask,
                                 upper << 2 * i & kFirstBits >> 2,
                                 lower << 2 * i & mask >> 2};
            mma_16x8x32(totals, a, x.words[i], x.words[i + 1]);
        }
    }

    /// Of row lane / 4, or that and 8: the sum over weights, where all of the row has one scale
    /// without it.
    template <bool kGeneral>
    __device__ static float row_sum(const Sums<kGeneral>& sums,
                                    int row,
                                    const Coefficients& coefficients) {
        float sum;
        if constexpr (kGeneral) {
            sum = sums.values[row];
        } else if constexpr (kBits == 1) {
            sum = coefficients.first * (row == 0 ? 1.0f : 2.0f) * sums.values[row];
        } else {
            sum = coefficients.first * sums.values[2 * row] +
                  2.0f * coefficients.second * sums.values[2 * row + 1];
        }
        return sum * (kScaleUnit / 128);
    }
};
