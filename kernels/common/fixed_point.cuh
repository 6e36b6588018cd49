#pragma once

#include "kernels/common/element.cuh"
#include "kernels/common/fragment_imma_tiling.cuh"
#include "kernels/common/integer.cuh"
#include "kernels/common/load.cuh"
#include "kernels/common/mma.cuh"

// Rows of x as operand B of mma_16x8x32, in shared memory.
//
// The 64 values of a span share an exponent: x = q · 2^(E − 12), where E is that of the largest and
// q whole, |q| < 2^13. A plane has the high or the low byte of each, q = 256·high + low with
// −128 ≤ low < 128; registers 1 and 3 have those of 4·q. That still fits, because E is one more
// where the largest is 255/256 · 2^(E + 1) or above. What is below 2^-93 keeps fewer digits. Inf or
// NaN makes a span NaN.
//
// Behind a span's planes stand records, one for each row of x, which also centre sums of bits: a
// sum of 128·b·q begins at −64·Σ q, one of 64·b·q at −32·Σ q.
//
//     words 0, 1   where the sums of 128·b·high and of 128·b·low begin
//     words 2, 3   of 64·b·high, of 64·b·low
//     words 4 … 6  scale, 256·scale and bias, floats for centred(); 7 unused

/// The bits of kWhole + i are kWholeBits + i where |i| < 2^22, so that a sum that began there is a
/// float already.
constexpr float kWhole = 12582912.0f;
constexpr uint32 kWholeBits = 0x4b400000u;

/// A record's scale is 2^-20 times that of x: so it and the bias are finite for every x.
constexpr float kScaleUnit = 1048576.0f;

/// 256·high + low of a row of x, times its scale.
__device__ inline float centred(uint32 high, uint32 low, const Packed<16>& scale) {
    // The inner sum is exact.
    return multiply_add(
        as_float(low),
        as_float(scale.words[0]),
        multiply_add(as_float(high), as_float(scale.words[1]), as_float(scale.words[2])));
}

/// A thread makes 8 neighbours of a row at a time; 8 threads that follow each other have a span.
/// They are byte 0 … 3 of register j of lane c of an mma step: with o = 16·(j/2) + 8·(j%2) + 2c
///
///     1 bit:   k = 32 + o, o, 33 + o, 1 + o
///     2 bits:  k = o, 1 + o, 32 + o, 33 + o, in register 3 − j
template <FragmentImmaTiling kTiling>
class FixedPoint {
  public:
    /// Of `columns` rows of x.
    __device__ FixedPoint(uint8* shared, int columns) : shared_(shared), columns_(columns) {
        const int lane = threadIdx.x % 32;
        planes_ = shared + min(lane / 4, 2 * columns - 1) * FragmentImmaTiling::kPlaneBytes +
                  lane % 4 * 16;
        records_ = shared + kTiling.records_begin() +
                   min(lane % 4, columns - 1) * FragmentImmaTiling::kRecordBytes;
    }

    /// Fills all spans, with zeros beyond k. Then all threads synchronise.
    __device__ void build(const uint16* x) const {
        const Place place;
        const int units = columns_ * kUnits;
        Packed<16> values[kAtOnce];
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
            values[i] = load(x, i * kThreads);
        }
#pragma unroll 1
        for (int first = 0; first < units; first += kAtOnce * kThreads) {
#pragma unroll
            for (int i = 0; i < kAtOnce; i += kTogether) {
                if (first + i * kThreads < units) {
                    put_together(&values[i], first + i * kThreads, x, place);
                }
            }
        }
    }

    /// Of the lane's column: registers 0 … 3 of a span.
    __device__ Packed<16> planes(int span) const {
        return load_shared<16>(planes_ + span * kTiling.span_bytes());
    }
    /// Of row lane % 4 of x: where sums begin.
    __device__ Packed<16> begin(int span) const {
        return load_shared<16>(records_ + span * kTiling.span_bytes());
    }
    __device__ Packed<16> scale(int span) const {
        return load_shared<16>(records_ + span * kTiling.span_bytes() + 16);
    }
    __device__ void advance(int spans) {
        planes_ += spans * kTiling.span_bytes();
        records_ += spans * kTiling.span_bytes();
    }

  private:
    static constexpr int kK = kTiling.warps.format.k;
    static constexpr int kThreads = kTiling.warps.threads();
    static constexpr int kUnits = kTiling.warps.padded_k() / 8;  // of a row of x
    static constexpr int kRounds =
        FragmentTiling::divide_up(kTiling.warps.m_tile * kUnits, kThreads);
    static constexpr int kAtOnce = kRounds < 4 ? kRounds : 4;
    /// These are of one row, and therefore all there when the first is.
    static constexpr int kTogether = kAtOnce % 2 == 0 && kUnits % (2 * kThreads) == 0 ? 2 : 1;
    static constexpr int kSmallest = 34;  // biased exponent
    static constexpr uint32 kInfinite = 0x7f800000u;
    static constexpr uint32 kNan = 0x7fffffffu;

    /// What a thread does, the same for all of its units.
    struct Place {
        __device__ Place() {
            constexpr bool kOneBit = kTiling.warps.format.bits == 1;
            const int piece = threadIdx.x % 4;
            const bool upper = threadIdx.x / 4 % 2 == 1;
            keep = upper ? 0x5410 : 0x7632;
            weave = kOneBit ? (upper ? 0x5140 : 0x1504) : (upper ? 0x1054 : 0x5410);
            flip = upper ? 0x80808080u : 0;
            plane = upper * FragmentImmaTiling::kPlaneBytes + (kOneBit ? piece : 3 - piece) * 4;
            word = (piece * 2 + upper) * 4;
            factor = piece == 0 ? -16 : -8;
            quadrupled = (kOneBit ? piece : 3 - piece) % 2;
            begins = piece < 2;
            // 2^-32, 2^-24 and −257 · kWhole · 2^-32 of 2^(biased exponent − 127)
            addend = piece == 3 ? 0x7fc0c000u : 0u - ((upper ? 24u : 32u) << 23);
        }
        uint32 keep;     ///< selects the bytes of the thread's plane
        uint32 weave;    ///< puts its bytes and those of the other half of the span in order
        uint32 flip;     ///< low bytes come with 128 added
        int plane;       ///< offset of register 0
        int word;        ///< of a record
        int quadrupled;  ///< 1 where the plane has 4·q
        int factor;      ///< of the sum of 4·q, if the word begins a sum
        bool begins;
        uint32 addend;  ///< to the exponent's bits otherwise
    };

    /// The thread's unit out of kThreads from unit `begin` on.
    struct Unit {
        int token;
        int at;      ///< in its row
        bool there;  ///< not beyond the last row
    };
    __device__ Unit unit(int begin) const {
        const int thread = threadIdx.x;
        if constexpr (kUnits % kThreads == 0) {
            // What all threads have in common costs little.
            return {begin / kUnits, begin % kUnits + thread, begin < columns_ * kUnits};
        } else {
            const int number = begin + thread;
            return {number / kUnits, number % kUnits, number < columns_ * kUnits};
        }
    }

    /// Zeros beyond k and the last row.
    __device__ Packed<16> load(const uint16* x, int begin) const {
        const Unit place = unit(begin);
        return place.there && (kUnits * 8 == kK || place.at * 8 < kK)
                   ? load_streaming<16>(x + static_cast<int64>(place.token) * kK + place.at * 8)
                   : zero_packed<16>();
    }

    /// Puts kTogether of them, which fill each other's waits, and loads those kAtOnce later.
    __device__ void put_together(Packed<16>* values,
                                 int begin,
                                 const uint16* x,
                                 const Place& place) const {
#pragma unroll
        for (int i = 0; i < kTogether; ++i) {
            put(values[i], begin + i * kThreads, place);
            if constexpr (kRounds > kAtOnce) {
                values[i] = load(x, begin + (i + kAtOnce) * kThreads);
            }
        }
    }

    /// All lanes of a warp come here.
    __device__ void put(const Packed<16>& elements, int begin, const Place& place) const {
        float values[8];
        unpack(elements.words, values);
        const uint32 largest = shared_largest(values);
        const uint32 exponent = max((largest + 0x10000u) >> 23, static_cast<uint32>(kSmallest));
        const float scale = as_float((266 + 2 * place.quadrupled - exponent) << 23);
        uint32 pairs[4];  // two low bytes, two high ones
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const uint32 first = float_bits(multiply_add(values[2 * i], scale, kWhole + 128));
            const uint32 second = float_bits(multiply_add(values[2 * i + 1], scale, kWhole + 128));
            pairs[i] = permute_bytes(first, second, 0x5140);
        }
        uint32 own[2];
        uint32 others[2];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            own[i] = permute_bytes(pairs[2 * i], pairs[2 * i + 1], place.keep);
            others[i] = exchange_lanes(
                permute_bytes(pairs[2 * i], pairs[2 * i + 1], place.keep ^ 0x2222), 4);
        }
        const Unit to = unit(begin);
        uint8* span = shared_ + to.at / 8 * kTiling.span_bytes();
        uint8* plane = span + to.token * (2 * FragmentImmaTiling::kPlaneBytes) + place.plane;
        // Of the same units, it was asked before whether all are there.
        const bool there = kUnits % kThreads == 0 || to.there;
        int sum = 0;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const uint32 bytes =
                permute_bytes(own[i / 2], others[i / 2], place.weave + i % 2 * 0x2222) ^ place.flip;
            sum = add_bytes(sum, bytes);
            if (there) {
                store<4>(plane + i * 16, {bytes});
            }
        }
        sum <<= 2 - 2 * place.quadrupled;
        sum += exchange_lanes(sum, 1);
        sum += exchange_lanes(sum, 2);
        const uint32 scaled = largest >= kInfinite ? kNan : (exponent << 23) + place.addend;
        const uint32 origin = kWholeBits + static_cast<uint32>(sum * place.factor);
        if (there) {
            store<4>(span + kTiling.records_begin() + to.token * FragmentImmaTiling::kRecordBytes +
                         place.word,
                     {place.begins ? origin : scaled});
        }
    }

    /// The bits of the largest value of the span, without its sign.
    __device__ static uint32 shared_largest(const float (&values)[8]) {
        float largest = 0;
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            largest = larger_magnitude(largest, values[i]);
        }
        uint32 bits = float_bits(largest);
#pragma unroll
        for (int lanes = 1; lanes < 8; lanes *= 2) {
            bits = max(bits, exchange_lanes(bits, lanes));
        }
        return bits;
    }

    uint8* shared_;
    int columns_;
    const uint8* planes_;
    const uint8* records_;
};
