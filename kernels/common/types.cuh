#pragma once

// Kernels include nothing but kernels/common: a compile key then covers all that a kernel is made
// of, and NVRTC spends its time on the kernel instead of on CUDA's headers.

using int8 = signed char;
using uint8 = unsigned char;
using int16 = short;
using uint16 = unsigned short;
using int32 = int;
using uint32 = unsigned int;
using int64 = long long;
using uint64 = unsigned long long;
