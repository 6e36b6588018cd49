#pragma once

#include "kernels/common/element.cuh"
#include "kernels/common/fragment_tiling.cuh"

// From sums in the registers of several warps to y.

/// fp32 sums of the CTA's parts of k in shared memory: [parts][kColumns][kStride rows].
template <int kColumns, int kStride>
class Partials {
  public:
    /// Columns from `columns` on are not kept.
    __device__ Partials(uint8* shared, int columns)
        : sums_(reinterpret_cast<float*>(shared)), columns_(columns) {}

    /// What a lane has of 16 rows × 8 columns, in the order of mma_16x8x16.
    __device__ void put(int part, int first_row, int column_block, const float* sums) const {
        const int lane = threadIdx.x % 32;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int column = column_block * 8 + lane % 4 * 2 + i % 2;
            if (column < columns_) {
                sums_[(part * kColumns + column) * kStride + first_row + lane / 4 + i / 2 * 8] =
                    sums[i];
            }
        }
    }

    /// One sum.
    __device__ void put(int part, int row, int column, float sum) const {
        if (column < columns_) {
            sums_[(part * kColumns + column) * kStride + row] = sum;
        }
    }

    /// The sum of all parts, always in the same order.
    template <int kParts>
    __device__ float sum(int row, int column) const {
        float sum = 0;
#pragma unroll
        for (int part = 0; part < kParts; ++part) {
            sum += sums_[(part * kColumns + column) * kStride + row];
        }
        return sum;
    }

  private:
    float* sums_;
    int columns_;
};

/// Where a CTA's rows of w go in y [m,n].
template <FragmentTiling kFormat>
class Result {
  public:
    __device__ Result(void* y, const void* scales, int m_begin, int n_begin)
        : y_(static_cast<uint16*>(y)),
          scales_(static_cast<const uint16*>(scales)),
          m_begin_(m_begin),
          n_begin_(n_begin) {}

    /// Where all of a row has one scale, sums come without it.
    __device__ void put(int row, int column, float sum) const {
        const int n = n_begin_ + row;
        if (n < kFormat.n) {
            if constexpr (kFormat.row_scales()) {
                sum *= to_float(scales_[n / 16 * 64 + n % 8 * 8 + n % 16 / 8]);
            }
            y_[static_cast<int64>(m_begin_ + column) * kFormat.n + n] = to_element(sum);
        }
    }

    /// Of four rows, the first of which is a multiple of 4.
    __device__ void put(int row, int column, const float4& sums) const {
        if constexpr (kFormat.n % 4 == 0 && !kFormat.row_scales()) {
            if (n_begin_ + row < kFormat.n) {
                uint16* to =
                    y_ + static_cast<int64>(m_begin_ + column) * kFormat.n + n_begin_ + row;
                *reinterpret_cast<uint2*>(to) =
                    make_uint2(pack(sums.x, sums.y), pack(sums.z, sums.w));
            }
        } else {
            put(row, column, sums.x);
            put(row + 1, column, sums.y);
            put(row + 2, column, sums.z);
            put(row + 3, column, sums.w);
        }
    }

  private:
    __device__ static uint32 pack(float low, float high) {
        return static_cast<uint32>(to_element(low)) | static_cast<uint32>(to_element(high)) << 16;
    }

    uint16* y_;
    const uint16* scales_;
    int m_begin_;
    int n_begin_;
};
