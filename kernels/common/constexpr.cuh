#pragma once

// Plain C++ that kernels and their descriptors share: NVRTC wants every function to say where it
// runs.
#ifdef __CUDACC__
#define FDK_CONSTEXPR __device__ constexpr
#else
#define FDK_CONSTEXPR constexpr
#endif
