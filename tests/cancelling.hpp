#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fdkbench::test {

/// In each row the second half becomes a copy of the first. With weights and scales like this and
/// activations of negated_halves(), a product is nothing but what rounding left of sums that
/// cancel: its bits differ when numbers are added in another order, which rounding to 16 bits hides
/// otherwise.
template <typename T>
void repeat_halves(std::vector<T>& rows, std::size_t row_size) {
    for (auto row = rows.begin(); row != rows.end(); row += static_cast<std::ptrdiff_t>(row_size)) {
        const auto half = static_cast<std::ptrdiff_t>(row_size / 2);
        std::copy_n(row, half, row + half);
    }
}

/// Rows of 16-bit floats whose second half is the first with the other sign.
inline std::vector<std::uint16_t> negated_halves(std::vector<std::uint16_t> rows,
                                                 std::size_t row_size) {
    repeat_halves(rows, row_size);
    constexpr std::uint16_t kSign = 0x8000;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i % row_size >= row_size / 2) {
            rows[i] ^= kSign;
        }
    }
    return rows;
}

}  // namespace fdkbench::test
