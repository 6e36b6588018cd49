#pragma once

#include "src/core/device_code.cuh"

namespace fdkbench {

enum class NumberType { kBf16, kFp16, kFp32 };

/// What the kernel of quantise_kernels.cu takes. Pointers are to memory of the device.
struct QuantiseArguments {
    const void* weights = nullptr;         ///< [groups, group_size]
    const unsigned char* codes = nullptr;  ///< [65536], by the bits of a scaled weight
    unsigned char* weight_data = nullptr;  ///< [groups, group_size · bits/8]
    unsigned short* scale = nullptr;       ///< [groups]
    /// The least index of a weight that is not finite in `type`; else as it was.
    unsigned long long* not_finite = nullptr;
    Extent groups = 0;
    unsigned group_size = 0;
    unsigned bits = 0;  ///< 8, 4, 2 or 1; group_size · bits are whole bytes
    NumberType weights_type = NumberType::kBf16;
    NumberType type = NumberType::kBf16;  ///< of the scales, and of weights once they are rounded
    unsigned short least_scale = 0;
};

}  // namespace fdkbench
