#pragma once

// What the packers of the CPU and of the GPU have in common. fragment.hpp has the layout.
#include "src/core/device_code.cuh"
#ifndef __CUDACC__
#include <cstring>
#endif

namespace fdkbench {

using Bytes8 = unsigned long long;

inline constexpr Extent kFragmentRows = 16;  // of a block
inline constexpr Extent kFragmentHalf = 8;   // rows g and g + 8 belong to the same lanes
inline constexpr Extent kFragmentLanes = 32;
inline constexpr Extent kFragmentWords = 4;  // of a lane; each comes from 8 bytes of two rows
inline constexpr Extent kFragmentRowBytes = 32;
inline constexpr Extent kFragmentBytes = kFragmentRows * kFragmentRowBytes;
inline constexpr Extent kFragmentGroups = 4;  // whose scales lie together
inline constexpr Extent kScaleBlock = kFragmentRows * kFragmentGroups;

/// Extents of a quantised matrix in both layouts.
struct FragmentExtents {
    Extent n;
    Extent row_bytes;  ///< canonical
    Extent groups;     ///< in a row

    /// Of 16 rows.
    [[nodiscard]] FDKBENCH_DEVICE constexpr Extent row_blocks() const {
        return divide_up(n, kFragmentRows);
    }
    /// In 16 rows.
    [[nodiscard]] FDKBENCH_DEVICE constexpr Extent blocks() const {
        return divide_up(row_bytes, kFragmentRowBytes);
    }
    /// Of 4 groups, in 16 rows.
    [[nodiscard]] FDKBENCH_DEVICE constexpr Extent scale_blocks() const {
        return divide_up(groups, kFragmentGroups);
    }
    /// Lanes of all blocks, each of 16 bytes.
    [[nodiscard]] FDKBENCH_DEVICE constexpr Extent lanes() const {
        return row_blocks() * blocks() * kFragmentLanes;
    }
    [[nodiscard]] FDKBENCH_DEVICE constexpr Extent weight_bytes() const {
        return row_blocks() * blocks() * kFragmentBytes;
    }
    [[nodiscard]] FDKBENCH_DEVICE constexpr Extent scales() const {
        return row_blocks() * scale_blocks() * kScaleBlock;
    }

    FDKBENCH_DEVICE static constexpr Extent divide_up(Extent a, Extent b) {
        return (a + b - 1) / b;
    }
};

/// Two rows' 8 bytes; or, in the order of a fragment, the words of c = 0, 1 and of c = 2, 3.
struct Two {
    Bytes8 first;
    Bytes8 second;
};

/// Exchanges the bits under `mask` with those `shift` above.
FDKBENCH_DEVICE constexpr Bytes8 exchange(Bytes8 bits, unsigned shift, Bytes8 mask) {
    const Bytes8 differing = (bits ^ (bits >> shift)) & mask;
    return bits ^ differing ^ (differing << shift);
}

FDKBENCH_DEVICE constexpr Bytes8 spread_16(Bytes8 low) {
    low &= 0xffffffff;
    return (low | low << 16U) & 0x0000ffff0000ffff;
}

FDKBENCH_DEVICE constexpr Bytes8 spread_8(Bytes8 low) {
    low = spread_16(low);
    return (low | low << 8U) & 0x00ff00ff00ff00ff;
}

/// first, second, first, … by 16 bits.
FDKBENCH_DEVICE constexpr Two zip_16(Two two) {
    return {spread_16(two.first) | spread_16(two.second) << 16U,
            spread_16(two.first >> 32U) | spread_16(two.second >> 32U) << 16U};
}

/// The same by bytes.
FDKBENCH_DEVICE constexpr Two zip_8(Two two) {
    return {spread_8(two.first) | spread_8(two.second) << 8U,
            spread_8(two.first >> 32U) | spread_8(two.second >> 32U) << 8U};
}

/// 32 codes of 2 bits: reverses the four of each byte. Its own inverse.
FDKBENCH_DEVICE constexpr Bytes8 reverse_codes(Bytes8 codes) {
    codes = (codes >> 2U & 0x3333333333333333) | (codes & 0x3333333333333333) << 2U;
    return (codes >> 4U & 0x0f0f0f0f0f0f0f0f) | (codes & 0x0f0f0f0f0f0f0f0f) << 4U;
}

/// 2 bits: canonical weight 8j + x to byte x, bits 2j. Each exchange swaps two digits of the binary
/// number of a code.
FDKBENCH_DEVICE constexpr Bytes8 columns_2(Bytes8 row) {
    row = reverse_codes(row);
    row = exchange(row, 28, 0x00000000f0f0f0f0);
    row = exchange(row, 14, 0x0000cccc0000cccc);
    row = exchange(row, 24, 0x00000000ff00ff00);
    return exchange(row, 8, 0x0000ff000000ff00);
}

/// 1 bit: bit 7 − x of byte q to bit 7 − q of byte x. Its own inverse.
FDKBENCH_DEVICE constexpr Bytes8 transpose_1(Bytes8 bits) {
    bits = exchange(bits, 9, 0x0055005500550055);
    bits = exchange(bits, 18, 0x0000333300003333);
    return exchange(bits, 36, 0x000000000f0f0f0f);
}

/// 8 bytes of row g and of row g + 8 → word w of the four lanes of g.
template <int kBits>
FDKBENCH_DEVICE constexpr Two weave(Two rows) {
    if constexpr (kBits == 8) {
        return zip_16(rows);
    } else if constexpr (kBits == 4) {
        return zip_16(zip_8(rows));
    } else if constexpr (kBits == 2) {
        return zip_8({columns_2(rows.first), columns_2(rows.second)});
    } else {
        const Two pairs = zip_8(rows);
        return zip_8({transpose_1(pairs.second), transpose_1(pairs.first)});
    }
}

/// The word of lane c out of weave().
FDKBENCH_DEVICE constexpr unsigned word_of(Two words, Extent c) {
    return static_cast<unsigned>((c < 2 ? words.first : words.second) >> 32U * (c % 2));
}

/// 8 bytes of a canonical row as they lie in memory, 0 where there are none. `weights` is 8-byte
/// aligned, `column` a multiple of 8.
FDKBENCH_DEVICE inline Bytes8 bytes_at(const unsigned char* weights,
                                       const FragmentExtents& extents,
                                       Extent row,
                                       Extent column) {
    if (row >= extents.n || column >= extents.row_bytes) {
        return 0;
    }
    const unsigned char* at = weights + row * extents.row_bytes + column;
    Bytes8 bytes = 0;
    if (extents.row_bytes % sizeof bytes == 0) {
        memcpy(&bytes, __builtin_assume_aligned(at, sizeof bytes), sizeof bytes);
        return bytes;
    }
    for (Extent i = 0; i < sizeof bytes && column + i < extents.row_bytes; ++i) {
        bytes |= Bytes8{at[i]} << 8 * i;
    }
    return bytes;
}

/// 16 bytes of the fragment layout.
struct FragmentLane {
    unsigned words[kFragmentWords];
};

/// Lane `index` of all lanes(), from the canonical weights, 8-byte aligned.
template <int kBits>
FDKBENCH_DEVICE inline FragmentLane fragment_lane(const unsigned char* weights,
                                                  const FragmentExtents& extents,
                                                  Extent index) {
    const Extent block = index / kFragmentLanes;
    const Extent row = block / extents.blocks() * kFragmentRows + index % kFragmentLanes / 4;
    const Extent column = block % extents.blocks() * kFragmentRowBytes;
    FragmentLane lane{};
    for (Extent word = 0; word < kFragmentWords; ++word) {
        const Extent at = column + word * sizeof(Bytes8);
        const Two rows{bytes_at(weights, extents, row, at),
                       bytes_at(weights, extents, row + kFragmentHalf, at)};
        lane.words[word] = word_of(weave<kBits>(rows), index % 4);
    }
    return lane;
}

/// Scale `index` of all scales(), from the canonical ones.
FDKBENCH_DEVICE inline unsigned short fragment_scale(const unsigned short* scales,
                                                     const FragmentExtents& extents,
                                                     Extent index) {
    const Extent block = index / kScaleBlock;
    const Extent row = block / extents.scale_blocks() * kFragmentRows +
                       index % kScaleBlock / (2 * kFragmentGroups) + index % 2 * kFragmentHalf;
    const Extent group =
        block % extents.scale_blocks() * kFragmentGroups + index / 2 % kFragmentGroups;
    const bool there = row < extents.n && group < extents.groups;
    return there ? scales[row * extents.groups + group] : static_cast<unsigned short>(0);
}

}  // namespace fdkbench
