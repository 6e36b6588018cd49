#pragma once

// For code that CPU and GPU have in common: plain C++ that does without CUDA's headers, as NVRTC
// takes it.
#ifdef __CUDACC__
#define FDKBENCH_DEVICE __device__
#else
#define FDKBENCH_DEVICE
#endif

namespace fdkbench {

using Extent = decltype(sizeof(0));

}  // namespace fdkbench
