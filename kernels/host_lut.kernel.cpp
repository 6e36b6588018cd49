// y = x · (codebook[w] · scales)ᵀ with 8-, 4-, 2- or 1-bit weights.
//
//   x [m,k], w [n, k·bits/8] with the first element in the top bits of its byte,
//   scales [n, k/group_size], codebook [2^bits], y [m,n]; workspace: x prepared for the decoder.
//
// Tiles and work partition: kernels/common/host_product.hpp. FDK_DECODE_ chooses how codes become
// values:
//
//   VECTOR    A block is one register. The 32 bits of a lane hold 32/bits neighbouring weights, so
//             a shift brings one weight of every lane to the bottom, where a permutation of the
//             codebook looks all of them up; activations are prepared in that order. With bf16 dot
//             products the same is done in 16-bit lanes. At 8 bits the codebook is two tables of
//             256 bytes. A group must be whole 32-bit words, and lanes one group or several.
//   BYTE_LUT  A table of 256 rows has the 8/bits values of every byte. Blocks of at most 8 bytes
//             in one group; at 8 bits a gather of one register, which must not span groups.
//   SCALAR    One weight at a time; any group.
//
// Nothing has to divide n, nor the block k.

#include "kernels/common/host_product.hpp"

#include <numeric>
#include <type_traits>
#include <utility>

namespace fdk {

static_assert(kBits == 8 || kBits == 4 || kBits == 2 || kBits == 1);

constexpr int kPerByte = 8 / kBits;
constexpr unsigned kCodes = 1U << kBits;

inline float codebook_value(const fdkbench_host_arguments& arguments, unsigned code) {
    return to_float(static_cast<const std::uint16_t*>(arguments.codebook)[code]);
}

/// Code number i of a byte, counted from its top bits.
constexpr unsigned code_in_byte(unsigned byte, int i) {
    return byte >> (8 - kBits * (i + 1)) & (kCodes - 1);
}

#if defined(FDK_DECODE_VECTOR)

/// The factors of a register's fp32 lanes, each of which sums the weights of 32 bits.
struct LaneScales {
    static constexpr int kLanesPerGroup = static_cast<int>(kGroup * kBits / 32);
    static constexpr int kScales =
        in_one_group(kVectorBytes * kPerByte) ? 1 : kLanes / std::max(kLanesPerGroup, 1);
    static_assert(kScales == 1 || kLanesPerGroup * kScales == kLanes);
    static_assert(kScales == 1 || kLanesPerGroup * 32 == kGroup * kBits);

    FDKBENCH_INLINE static F32 scale(const std::uint16_t* scales) {
        if constexpr (kScales == 1) {
            return splat<F32>(to_float(*scales));
        } else {
            return widen(spread(repeated(scales), std::make_integer_sequence<int, kLanes>()));
        }
    }

  private:
    /// All of the kScales scales, again and again. Whole words only: a vector that is written in
    /// parts to memory and read as one stalls the core.
    FDKBENCH_INLINE static HalfU16 repeated(const std::uint16_t* scales) {
        if constexpr (kScales == kLanes) {
            return load<HalfU16>(scales);
        } else if constexpr (kScales == 2) {
            using Words = Vector<std::uint32_t, kLanes / 2>;
            return reinterpret_cast<HalfU16>(splat<Words>(load<std::uint32_t>(scales)));
        } else {
            Vector<std::uint64_t, kLanes / 4> words;
#pragma GCC unroll 4
            for (int i = 0; i < kLanes / 4; ++i) {
                words[i] = load<std::uint64_t>(scales + 4 * i % kScales);
            }
            return reinterpret_cast<HalfU16>(words);
        }
    }
    template <int... kLane>
    FDKBENCH_INLINE static HalfU16 spread(HalfU16 v, std::integer_sequence<int, kLane...>) {
        return __builtin_shufflevector(v, v, kLane / kLanesPerGroup...);
    }
};

#ifdef FDKBENCH_DOT
using Arithmetic = DotArithmetic;
using Codes = U16;
#else
using Arithmetic = Fp32Arithmetic<F32>;
using Codes = U32;
#endif
using Lane = std::remove_reference_t<decltype(Codes{}[0])>;

struct VectorBlock : Arithmetic, LaneScales {
    static constexpr int kBlockBytes = kVectorBytes;
    static constexpr int kBlockElements = kBlockBytes * kPerByte;
    static constexpr int kSteps = kBlockElements / kStepElements;
    static constexpr bool kPrefetch = FDK_PREFETCH != 0;

    /// Step `step` takes bits step·kBits and up of every little-endian lane.
    static constexpr int element(int step, int i) {
        const int bit = step * kBits;
        const int byte = i * static_cast<int>(sizeof(Lane)) + bit / 8;
        return byte * kPerByte + (kPerByte - 1 - bit % 8 / kBits);
    }
};

#if FDK_BITS == 8
/// Values as two bytes, looked up apart.
struct Decoder : VectorBlock {
    struct Planes {
        Codes low;
        Codes high;
    };

    explicit Decoder(const fdkbench_host_arguments& arguments)
        : low_(plane(arguments, 0)), high_(plane(arguments, 8)) {}

    FDKBENCH_INLINE Planes load(const std::uint8_t* block) const {
        const auto codes = fdk::load<Bytes>(block);
        return {reinterpret_cast<Codes>(low_(codes)), reinterpret_cast<Codes>(high_(codes))};
    }
    FDKBENCH_INLINE static auto vector(const Planes& planes, int step) {
        const auto shift = static_cast<Lane>(step * kBits);
        const Codes low = planes.low >> shift & Lane{0xff};
        const Codes high = planes.high >> shift & Lane{0xff};
        const Codes values = high << Lane{8} | low;
#ifdef FDKBENCH_DOT
        return values;
#else
        return widen(__builtin_convertvector(values, HalfU16));
#endif
    }

  private:
    static ByteTable plane(const fdkbench_host_arguments& arguments, int shift) {
        std::uint8_t bytes[256];
        for (int code = 0; code < 256; ++code) {
            const auto value = static_cast<const std::uint16_t*>(arguments.codebook)[code];
            bytes[code] = static_cast<std::uint8_t>(value >> shift);
        }
        return ByteTable(bytes);
    }

    ByteTable low_;
    ByteTable high_;
};
#else
/// The codebook, repeated to fill the table, in registers: the bits above a code do not count.
struct Decoder : VectorBlock {
#ifdef FDKBENCH_DOT
    explicit Decoder(const fdkbench_host_arguments& arguments) {
        for (unsigned i = 0; i < 2 * kLanes; ++i) {
            table_[i] = static_cast<const std::uint16_t*>(arguments.codebook)[i % kCodes];
        }
    }
#else
    explicit Decoder(const fdkbench_host_arguments& arguments) : table_(repeated(arguments)) {}
#endif

    FDKBENCH_INLINE static Codes load(const std::uint8_t* block) {
        return fdk::load<Codes>(block);
    }
    FDKBENCH_INLINE auto vector(Codes codes, int step) const {
        const Codes index = codes >> static_cast<Lane>(step * kBits);
#ifdef FDKBENCH_DOT
        return permute(index, table_);
#else
        return table_.template at<kCodes>(index);
#endif
    }

  private:
#ifdef FDKBENCH_DOT
    U16 table_;
#else
    static Table16 repeated(const fdkbench_host_arguments& arguments) {
        float values[16];
        for (unsigned i = 0; i < 16; ++i) {
            values[i] = codebook_value(arguments, i % kCodes);
        }
        return Table16(values);
    }

    Table16 table_;
#endif
};
#endif

#else

/// Blocks that read weights in natural order and lie in one group.
template <typename Lanes, int kBytes>
struct NaturalBlock : Fp32Arithmetic<Lanes> {
    static constexpr int kBlockBytes = kBytes;
    static constexpr int kBlockElements = kBytes * kPerByte;
    static constexpr int kStepElements = Fp32Arithmetic<Lanes>::kStepElements;
    static constexpr int kSteps = kBlockElements / kStepElements;
    static constexpr int kScales = 1;
    static constexpr bool kPrefetch = false;
    static_assert(in_one_group(kBlockElements));

    static constexpr int element(int step, int i) { return step * kStepElements + i; }
    FDKBENCH_INLINE static const std::uint8_t* load(const std::uint8_t* block) { return block; }
    FDKBENCH_INLINE static Lanes scale(const std::uint16_t* scales) {
        return splat<Lanes>(to_float(*scales));
    }
};

[[maybe_unused]] constexpr int kChunkBytes =
    kGroups == 1 ? 4 : std::gcd(static_cast<int>(kGroup / kPerByte), 4);

#if defined(FDK_DECODE_BYTE_LUT) && FDK_BITS == 8
struct Decoder : NaturalBlock<F32, kLanes> {
    explicit Decoder(const fdkbench_host_arguments& arguments) {
        for (unsigned code = 0; code < kCodes; ++code) {
            byte_lut_[code] = codebook_value(arguments, code);
        }
    }
    FDKBENCH_INLINE F32 vector(const std::uint8_t* block, int /*step*/) const {
        return gather(byte_lut_, block);
    }

  private:
    float byte_lut_[kCodes];
};
#elif defined(FDK_DECODE_BYTE_LUT)
struct Decoder : NaturalBlock<Vector<float, kPerByte>, kChunkBytes> {
    explicit Decoder(const fdkbench_host_arguments& arguments) {
        for (unsigned byte = 0; byte < 256; ++byte) {
            for (int i = 0; i < kPerByte; ++i) {
                byte_lut_[byte][i] = codebook_value(arguments, code_in_byte(byte, i));
            }
        }
    }
    FDKBENCH_INLINE Value vector(const std::uint8_t* block, int step) const {
        return fdk::load<Value>(byte_lut_[block[step]]);
    }

  private:
    float byte_lut_[256][kPerByte];
};
#elif defined(FDK_DECODE_SCALAR)
struct Decoder : NaturalBlock<float, kChunkBytes> {
    explicit Decoder(const fdkbench_host_arguments& arguments) {
        for (unsigned code = 0; code < kCodes; ++code) {
            values_[code] = codebook_value(arguments, code);
        }
    }
    FDKBENCH_INLINE float vector(const std::uint8_t* block, int step) const {
        return values_[code_in_byte(block[step / kPerByte], step % kPerByte)];
    }

  private:
    float values_[kCodes];
};
#endif

#endif

}  // namespace fdk

extern "C" void host_lut_prepare(const fdkbench_host_arguments* arguments, int part, int parts) {
    fdk::Product<fdk::Decoder>(*arguments).prepare(part, parts);
}

extern "C" void host_lut(const fdkbench_host_arguments* arguments, int part, int parts) {
    fdk::Product<fdk::Decoder>(*arguments).multiply(part, parts);
}
