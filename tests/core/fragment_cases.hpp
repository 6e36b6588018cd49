#pragma once

#include "src/core/problem.hpp"
#include "src/core/quantise.hpp"

#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

namespace fdkbench::test {

/// A matrix to pack into fragments.
struct FragmentCase {
    Shape shape;
    WeightFormat format;
};

/// Every bit width and group size with n that is not whole blocks of 16 rows; k that is and is not
/// whole blocks of 256/bits weights, and groups that are and are not whole fours. A group size of 0
/// stands for k.
inline std::vector<FragmentCase> fragment_cases() {
    std::vector<FragmentCase> all;
    for (const int bits : {8, 4, 2, 1}) {
        for (const std::int64_t group_size : {32, 64, 128, 0}) {
            for (const std::int64_t n : {1, 8, 16, 23, 48}) {
                for (const std::int64_t k : {32, 128, 160, 256, 384, 1152}) {
                    if (group_size == 0 || k % group_size == 0) {
                        all.push_back({{1, n, k}, {bits, group_size == 0 ? k : group_size}});
                    }
                }
            }
        }
    }
    all.push_back({{1, 5, 8}, {1, 8}});
    all.push_back({{1, 17, 12}, {2, 4}});
    all.push_back({{1, 33, 34}, {4, 2}});
    all.push_back({{1, 9, 7}, {8, 1}});
    return all;
}

/// A matrix of random codes and scales, none of which is 0.
inline QuantisedMatrix random_matrix(const FragmentCase& now) {
    const auto& [shape, format] = now;
    std::mt19937 random(static_cast<unsigned>(shape.n * shape.k * format.bits));
    QuantisedMatrix matrix;
    matrix.weight_data.resize(static_cast<std::size_t>(shape.n * shape.k * format.bits / 8));
    matrix.scale.resize(static_cast<std::size_t>(shape.n * shape.k / format.group_size));
    matrix.codebook.resize(std::size_t{1} << static_cast<unsigned>(format.bits));
    const auto fill = [&](auto& values, unsigned modulus) {
        for (auto& value : values) {
            value = static_cast<std::remove_reference_t<decltype(value)>>(1 + random() % modulus);
        }
    };
    fill(matrix.weight_data, 255);
    fill(matrix.scale, 65535);
    fill(matrix.codebook, 65535);
    return matrix;
}

}  // namespace fdkbench::test
