#pragma once

// The loops that host families share; a decoder says what a block of weights is.
//
//   n ─┐ tiles of FDK_ROWS_PER_TILE rows; a part computes consecutive tiles
//   m ─┤ tiles of FDK_M_TILE activation rows; each decoded weight serves all of them
//   k ─┘ blocks of Decoder::kBlockElements; in a block, kSteps vectors of kStepElements weights
//
// Activations are first copied into the workspace, [m, k] in the order in which decoding yields the
// weights, with zeros up to whole tiles of m and whole blocks of k. So nothing has to divide
// anything: a last partial block of weights is copied to a zero-filled buffer and meets zeros in x.
//
// A decoder derives from an arithmetic below and has
//   kBlockElements, kBlockBytes, kSteps
//   kScales            scales that a block of a row needs: 0 (none), 1, or several for its lanes
//   kPrefetch          fetch the next tile's weights while one is computed: the streams of several
//                      rows are too short for the core to see them coming
//   explicit Decoder(const fdkbench_host_arguments&)
//   element(step, i)   which weight of the block stands at position i of step's vector
//   load(bytes)        one block of a row
//   vector(loaded, step)
//   scale(scales)      the factor of each lane, from the kScales scales at `scales`

#include "kernels/common/host_vector.hpp"

namespace fdk {

constexpr int kRowsPerTile = FDK_ROWS_PER_TILE;
constexpr int kMTile = FDK_M_TILE;
constexpr int kUnroll = FDK_UNROLL;
constexpr int kCacheLine = 64;

/// Weights and activations as fp32; `Lanes` is a vector of them, or float.
template <typename Lanes>
struct Fp32Arithmetic {
    using Value = Lanes;  ///< of a sum
    using Activation = float;
    static constexpr int kStepElements = sizeof(Lanes) / sizeof(float);

    FDKBENCH_INLINE static Lanes multiply_add(Lanes sum, Lanes weights, const float* x) {
        return sum + weights * fdk::load<Lanes>(x);
    }
};

#ifdef FDKBENCH_DOT
/// Weights and activations as bf16, summed in fp32.
struct DotArithmetic {
    using Value = F32;
    using Activation = std::uint16_t;
    static constexpr int kStepElements = 2 * kLanes;

    FDKBENCH_INLINE static F32 multiply_add(F32 sum, U16 weights, const std::uint16_t* x) {
        return dot(sum, weights, fdk::load<U16>(x));
    }
};
#endif

template <typename Decoder>
class Product {
  public:
    explicit Product(const fdkbench_host_arguments& arguments)
        : arguments_(arguments),
          x_(static_cast<typename Decoder::Activation*>(arguments.workspace)) {}

    /// First launch: slices of x into the workspace.
    void prepare(int part, int parts) const {
        const Range units = slice(padded_rows() * kBlocks, part, parts);
        for (std::int64_t unit = units.begin; unit < units.end; ++unit) {
            prepare_block(unit / kBlocks, unit % kBlocks);
        }
    }

    /// Second launch: slices of n.
    void multiply(int part, int parts) const {
        const Decoder decoder(arguments_);
        const Range tiles = slice((kN + kRowsPerTile - 1) / kRowsPerTile, part, parts);
        for (std::int64_t m0 = 0; m0 < arguments_.m; m0 += kMTile) {
            for (std::int64_t tile = tiles.begin; tile < tiles.end; ++tile) {
                const std::int64_t row = tile * kRowsPerTile;
                if (row + kRowsPerTile <= kN) {
                    multiply_tile<kRowsPerTile>(decoder, row, m0);
                } else {
                    for (std::int64_t last = row; last < kN; ++last) {
                        multiply_tile<1>(decoder, last, m0);
                    }
                }
            }
        }
    }

  private:
    using Value = typename Decoder::Value;
    using Activation = typename Decoder::Activation;

    static constexpr std::int64_t kFullBlocks = kRowBytes / Decoder::kBlockBytes;
    static constexpr std::int64_t kTailBytes = kRowBytes % Decoder::kBlockBytes;
    static constexpr std::int64_t kBlocks = kFullBlocks + (kTailBytes > 0 ? 1 : 0);
    static constexpr std::int64_t kPaddedK = kBlocks * Decoder::kBlockElements;
    /// Never an empty array, also where a block needs no scale.
    static constexpr int kScaleSlots = Decoder::kScales > 0 ? Decoder::kScales : 1;

    template <int kRows>
    using Sums = Value[kRows][kMTile];

    [[nodiscard]] std::int64_t padded_rows() const {
        return (arguments_.m + kMTile - 1) / kMTile * kMTile;
    }

    void prepare_block(std::int64_t row, std::int64_t block) const {
        const auto* x = static_cast<const std::uint16_t*>(arguments_.x);
        const std::int64_t first = block * Decoder::kBlockElements;
        Activation* out = x_ + row * kPaddedK + first;
        for (int step = 0; step < Decoder::kSteps; ++step) {
            for (int i = 0; i < Decoder::kStepElements; ++i) {
                const std::int64_t element = first + Decoder::element(step, i);
                const bool inside = row < arguments_.m && element < kK;
                const std::uint16_t value = inside ? x[row * kK + element] : std::uint16_t{0};
                if constexpr (sizeof(Activation) == sizeof(float)) {
                    *out++ = to_float(value);
                } else {
                    *out++ = value;
                }
            }
        }
    }

    template <int kRows>
    FDKBENCH_INLINE void multiply_block(const Decoder& decoder,
                                        const std::uint8_t* const (&w)[kRows],
                                        const std::uint16_t* const (&scales)[kRows],
                                        const Activation* x,
                                        Sums<kRows>& totals) const {
        decltype(decoder.load(w[0])) loaded[kRows];
        Sums<kRows> sums = {};
#pragma GCC unroll 8
        for (int row = 0; row < kRows; ++row) {
            loaded[row] = decoder.load(w[row]);
        }
#pragma GCC unroll 64
        for (int step = 0; step < Decoder::kSteps; ++step) {
            const Activation* x_step = x + step * Decoder::kStepElements;
#pragma GCC unroll 8
            for (int row = 0; row < kRows; ++row) {
                const auto weights = decoder.vector(loaded[row], step);
#pragma GCC unroll 8
                for (int mm = 0; mm < kMTile; ++mm) {
                    sums[row][mm] =
                        Decoder::multiply_add(sums[row][mm], weights, x_step + mm * kPaddedK);
                }
            }
        }
#pragma GCC unroll 8
        for (int row = 0; row < kRows; ++row) {
            if constexpr (Decoder::kScales > 0) {
                const Value factor = decoder.scale(scales[row]);
#pragma GCC unroll 8
                for (int mm = 0; mm < kMTile; ++mm) {
                    totals[row][mm] += sums[row][mm] * factor;
                }
            } else {
#pragma GCC unroll 8
                for (int mm = 0; mm < kMTile; ++mm) {
                    totals[row][mm] += sums[row][mm];
                }
            }
        }
    }

    /// Index in its row of the first scale that a block needs.
    static constexpr std::int64_t first_scale(std::int64_t block) {
        return kGroups == 1 ? 0 : block * Decoder::kBlockElements / kGroup;
    }

    template <int kRows>
    void multiply_tile(const Decoder& decoder, std::int64_t row, std::int64_t m0) const {
        const auto* w = static_cast<const std::uint8_t*>(arguments_.w) + row * kRowBytes;
        const auto* scales = static_cast<const std::uint16_t*>(arguments_.scales) + row * kGroups;
        const Activation* x = x_ + m0 * kPaddedK;
        Sums<kRows> totals = {};
#pragma GCC unroll kUnroll
        for (std::int64_t block = 0; block < kFullBlocks; ++block) {
            const std::uint8_t* w_rows[kRows];
            const std::uint16_t* scale_rows[kRows];
#pragma GCC unroll 8
            for (int r = 0; r < kRows; ++r) {
                w_rows[r] = w + r * kRowBytes + block * Decoder::kBlockBytes;
                scale_rows[r] = scales + r * kGroups + first_scale(block);
                if constexpr (Decoder::kPrefetch) {
                    for (int line = 0; line < Decoder::kBlockBytes; line += kCacheLine) {
                        __builtin_prefetch(w_rows[r] + kRows * kRowBytes + line);
                    }
                }
            }
            multiply_block<kRows>(
                decoder, w_rows, scale_rows, x + block * Decoder::kBlockElements, totals);
        }
        if constexpr (kTailBytes > 0) {
            multiply_tail<kRows>(decoder, w, scales, x, totals);
        }
        store<kRows>(totals, row, m0);
    }

    /// The last, partial block, from copies that may be read as a whole one.
    template <int kRows>
    void multiply_tail(const Decoder& decoder,
                       const std::uint8_t* w,
                       const std::uint16_t* scales,
                       const Activation* x,
                       Sums<kRows>& totals) const {
        constexpr std::int64_t kFirstScale = first_scale(kFullBlocks);
        constexpr auto kTailScales =
            std::min<std::int64_t>(Decoder::kScales, kGroups - kFirstScale);
        std::uint8_t w_copies[kRows][Decoder::kBlockBytes] = {};
        std::uint16_t scale_copies[kRows][kScaleSlots] = {};
        const std::uint8_t* w_rows[kRows];
        const std::uint16_t* scale_rows[kRows];
        for (int r = 0; r < kRows; ++r) {
            std::memcpy(w_copies[r], w + (r + 1) * kRowBytes - kTailBytes, kTailBytes);
            std::copy_n(scales + r * kGroups + kFirstScale, kTailScales, scale_copies[r]);
            w_rows[r] = w_copies[r];
            scale_rows[r] = scale_copies[r];
        }
        multiply_block<kRows>(
            decoder, w_rows, scale_rows, x + kFullBlocks * Decoder::kBlockElements, totals);
    }

    template <int kRows>
    void store(const Sums<kRows>& totals, std::int64_t row, std::int64_t m0) const {
        auto* y = static_cast<std::uint16_t*>(arguments_.y);
        for (int mm = 0; mm < kMTile && m0 + mm < arguments_.m; ++mm) {
            for (int r = 0; r < kRows; ++r) {
                y[(m0 + mm) * kN + row + r] = to_element(sum(totals[r][mm]));
            }
        }
    }

    const fdkbench_host_arguments& arguments_;
    Activation* x_;
};

}  // namespace fdk
