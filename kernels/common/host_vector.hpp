#pragma once

// Vectors as wide as the target's registers, on the compiler's vector extension; intrinsics only
// where it has no word for an instruction. The target's macros choose: AVX-512, AVX2, NEON, or 128
// bits of whatever there is.

#include "kernels/common/host_kernel.hpp"

#include <type_traits>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define FDKBENCH_INLINE inline __attribute__((always_inline))

namespace fdk {

#if defined(__AVX512BW__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
constexpr int kLanes = kVectorBytes / 4;

template <typename T, int kCount>
struct VectorOf {
    typedef T type __attribute__((vector_size(sizeof(T) * kCount)));
};
template <typename T, int kCount>
using Vector = typename VectorOf<T, kCount>::type;

using F32 = Vector<float, kLanes>;
using U32 = Vector<std::uint32_t, kLanes>;
using U16 = Vector<std::uint16_t, 2 * kLanes>;  ///< a full register of 16-bit elements
using HalfU16 = Vector<std::uint16_t, kLanes>;  ///< as many as there are 32-bit lanes
using Bytes = Vector<std::uint8_t, kVectorBytes>;

template <typename T>
FDKBENCH_INLINE T load(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

/// `value` in every lane.
template <typename V, typename T>
FDKBENCH_INLINE V splat(T value) {
    if constexpr (std::is_same_v<V, T>) {
        return value;
    } else {
        return value - V{};  // not V{} + value, which would have to make 0 of -0
    }
}

/// Sum of all lanes, by halves.
FDKBENCH_INLINE float sum(float value) {
    return value;
}
template <typename V>
FDKBENCH_INLINE float sum(V value) {
    constexpr int kCount = sizeof(V) / sizeof(float);
    if constexpr (kCount == 2) {
        return value[0] + value[1];
    } else {
        using Half = Vector<float, kCount / 2>;
        Half halves[2];
        std::memcpy(halves, &value, sizeof value);
        return sum(halves[0] + halves[1]);
    }
}

/// 16-bit elements to fp32.
FDKBENCH_INLINE F32 widen(HalfU16 elements) {
#if defined(__AVX512BW__)
    const auto half = reinterpret_cast<__m256i>(elements);
    return reinterpret_cast<F32>(
        kBf16 ? reinterpret_cast<__m512>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))
              : _mm512_cvtph_ps(half));
#elif defined(__AVX2__) && defined(__F16C__)
    const auto half = reinterpret_cast<__m128i>(elements);
    return reinterpret_cast<F32>(
        kBf16 ? reinterpret_cast<__m256>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16))
              : _mm256_cvtph_ps(half));
#else
    if constexpr (kBf16) {
        return reinterpret_cast<F32>(__builtin_convertvector(elements, U32) << 16);
    }
    F32 out;
    for (int lane = 0; lane < kLanes; ++lane) {
        out[lane] = to_float(elements[lane]);
    }
    return out;
#endif
}

/// 16 fp32 values held in registers.
class Table16 {
  public:
    explicit Table16(const float (&values)[16]) { std::memcpy(parts_, values, sizeof values); }

    /// The values at the lanes' low 4 bits; of `kUsed` < 16 values, repeated to fill the table,
    /// only as many bits count. Higher bits are ignored.
    template <int kUsed>
    FDKBENCH_INLINE F32 at(U32 index) const {
#if defined(__AVX512BW__)
        return reinterpret_cast<F32>(_mm512_permutexvar_ps(reinterpret_cast<__m512i>(index),
                                                           reinterpret_cast<__m512>(parts_[0])));
#elif defined(__AVX2__)
        const __m256i lanes = reinterpret_cast<__m256i>(index);
        const __m256 low = _mm256_permutevar8x32_ps(reinterpret_cast<__m256>(parts_[0]), lanes);
        if constexpr (kUsed <= 8) {
            return reinterpret_cast<F32>(low);
        }
        const __m256 high = _mm256_permutevar8x32_ps(reinterpret_cast<__m256>(parts_[1]), lanes);
        const __m256 select = _mm256_castsi256_ps(_mm256_slli_epi32(lanes, 28));
        return reinterpret_cast<F32>(_mm256_blendv_ps(low, high, select));
#elif defined(__ARM_NEON)
        // Every lane's index becomes the four byte positions of its value.
        const U32 positions = (index & 15U) * 0x04040404U + 0x03020100U;
        uint8x16x4_t table;
        std::memcpy(&table, parts_, sizeof table);
        return reinterpret_cast<F32>(vqtbl4q_u8(table, reinterpret_cast<uint8x16_t>(positions)));
#else
        F32 out;
        for (int lane = 0; lane < kLanes; ++lane) {
            const std::uint32_t entry = index[lane] & 15U;
            out[lane] = parts_[entry / kLanes][entry % kLanes];
        }
        return out;
#endif
    }

  private:
    F32 parts_[16 / kLanes];
};

/// table[byte] for kLanes bytes.
FDKBENCH_INLINE F32 gather(const float* table, const std::uint8_t* bytes) {
#if defined(__AVX2__)
    const U32 index = __builtin_convertvector(load<Vector<std::uint8_t, kLanes>>(bytes), U32);
#if defined(__AVX512BW__)
    return reinterpret_cast<F32>(
        _mm512_i32gather_ps(reinterpret_cast<__m512i>(index), table, sizeof(float)));
#else
    return reinterpret_cast<F32>(
        _mm256_i32gather_ps(table, reinterpret_cast<__m256i>(index), sizeof(float)));
#endif
#else
    F32 out;
    for (int lane = 0; lane < kLanes; ++lane) {
        out[lane] = table[bytes[lane]];
    }
    return out;
#endif
}

#if defined(__AVX512BF16__) && defined(FDK_BF16)
/// Products of bf16 pairs are summed by one instruction.
#define FDKBENCH_DOT 1

/// Lane i of the result: sum[i] + a[2i]·b[2i] + a[2i+1]·b[2i+1].
FDKBENCH_INLINE F32 dot(F32 sum, U16 a, U16 b) {
    return reinterpret_cast<F32>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                  reinterpret_cast<__m512bh>(a),
                                                  reinterpret_cast<__m512bh>(b)));
}

/// table[index mod 32] of 16-bit lanes.
FDKBENCH_INLINE U16 permute(U16 index, U16 table) {
    return reinterpret_cast<U16>(_mm512_permutexvar_epi16(reinterpret_cast<__m512i>(index),
                                                          reinterpret_cast<__m512i>(table)));
}
#endif

#if defined(__AVX512VBMI__)
/// 256 bytes held in four registers.
class ByteTable {
  public:
    explicit ByteTable(const std::uint8_t (&values)[256]) {
        std::memcpy(parts_, values, sizeof values);
    }
    FDKBENCH_INLINE Bytes operator()(Bytes index) const {
        const __m512i lanes = reinterpret_cast<__m512i>(index);
        const __m512i low = _mm512_permutex2var_epi8(parts_[0], lanes, parts_[1]);
        const __m512i high = _mm512_permutex2var_epi8(parts_[2], lanes, parts_[3]);
        return reinterpret_cast<Bytes>(
            _mm512_mask_blend_epi8(_mm512_movepi8_mask(lanes), low, high));
    }

  private:
    __m512i parts_[4];
};
#endif

}  // namespace fdk
