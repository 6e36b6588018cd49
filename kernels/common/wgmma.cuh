#pragma once

#include "kernels/common/types.cuh"

// Tensor-core steps of a warp group (4 warps): sums[64, kColumns] += a[64,16] · b[kColumns,16]ᵀ,
// with a in registers in mma's order (warp w holds rows 16·w …) and b in shared memory (compute
// capability 9.0a).

/// Where b lies: rows of 128 bytes (64 elements along k), the 16-byte units of row r exchanged by
/// exclusive-or with r % 8, in groups of 8 rows (as tensor copies with that swizzle write them).
/// `address`, in the shared window, is a multiple of 1024 plus 32 for each step of 16 along k.
__device__ inline uint64 swizzled_rows(uint32 address) {
    constexpr uint64 kGroupBytes = 1024;
    constexpr uint64 kSwizzle128 = 1;
    // Steps and panels on, only the low word's number grows: it stays below 2^14.
    return ((address & 0x3ffffu) >> 4 | 1u << 16) | (kGroupBytes >> 4) << 32 | kSwizzle128 << 62;
}

/// Before the first of some steps: registers written until here are seen by them.
__device__ inline void begin_wgmma() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ inline void commit_wgmma() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// The registers that kConsumerWarps warps take over from four that need few. Every thread of a
/// warp group comes here.
template <int kConsumerWarps>
__device__ inline void give_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kConsumerWarps == 16 ? 32 : 24));
}
template <int kConsumerWarps>
__device__ inline void take_registers() {
    // At launch, 20 warps have 96 a thread, 12 have 168.
    static_assert(kConsumerWarps == 16 || kConsumerWarps == 8);
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kConsumerWarps == 16 ? 112 : 240));
}

/// Until at most kPending of the committed groups are under way.
template <int kPending>
__device__ inline void wait_wgmma() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

#ifdef FDK_BF16
#define FDK_WGMMA_TYPES ".f32.bf16.bf16 "
#else
#define FDK_WGMMA_TYPES ".f32.f16.f16 "
#endif

// Text and operands of the instruction: sums from %0 on, then a, then b.
#define FDK_LIST16 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define FDK_LIST32 \
    FDK_LIST16     \
    ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define FDK_LIST64                                                                          \
    FDK_LIST32                                                                              \
    ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48" \
    ", %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define FDK_LIST128                                                                         \
    FDK_LIST64                                                                              \
    ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, %80" \
    ", %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97" \
    ", %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111"    \
    ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125"  \
    ", %126, %127"
#define FDK_SUMS4(i) "+f"(d[i]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3])
#define FDK_SUMS16_FROM(i) FDK_SUMS4(i), FDK_SUMS4((i) + 4), FDK_SUMS4((i) + 8), FDK_SUMS4((i) + 12)
#define FDK_SUMS16 FDK_SUMS16_FROM(0)
#define FDK_SUMS32 FDK_SUMS16, FDK_SUMS16_FROM(16)
#define FDK_SUMS64 FDK_SUMS32, FDK_SUMS16_FROM(32), FDK_SUMS16_FROM(48)
#define FDK_SUMS128 \
    FDK_SUMS64, FDK_SUMS16_FROM(64), FDK_SUMS16_FROM(80), FDK_SUMS16_FROM(96), FDK_SUMS16_FROM(112)
#define FDK_REGISTERS "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b)
#define FDK_ADDRESSES "l"(a), "l"(b)
// A 0 for each operand in shared memory: it is not transposed.
#define FDK_WGMMA(columns, list, sums, text, zeros, operands)                                  \
    asm volatile(                                                                              \
        "{\n.reg .pred add;\nsetp.ne.b32 add, 1, 0;\n"                                         \
        "wgmma.mma_async.sync.aligned.m64n" #columns "k16" FDK_WGMMA_TYPES "{" list "}, " text \
        ", add, 1, 1, " zeros ";\n}"                                                           \
        : sums                                                                                 \
        : operands)

/// kColumns is 32, 64, 128 or 256.
template <int kColumns>
__device__ inline void wgmma(float (&d)[kColumns / 2], const uint32 (&a)[4], uint64 b);
/// The same with a in shared memory, as b.
template <int kColumns>
__device__ inline void wgmma(float (&d)[kColumns / 2], uint64 a, uint64 b);

template <>
__device__ inline void wgmma<32>(float (&d)[16], const uint32 (&a)[4], uint64 b) {
    FDK_WGMMA(32, FDK_LIST16, FDK_SUMS16, "{%16, %17, %18, %19}, %20", "0", FDK_REGISTERS);
}
template <>
__device__ inline void wgmma<32>(float (&d)[16], uint64 a, uint64 b) {
    FDK_WGMMA(32, FDK_LIST16, FDK_SUMS16, "%16, %17", "0, 0", FDK_ADDRESSES);
}

template <>
__device__ inline void wgmma<64>(float (&d)[32], const uint32 (&a)[4], uint64 b) {
    FDK_WGMMA(64, FDK_LIST32, FDK_SUMS32, "{%32, %33, %34, %35}, %36", "0", FDK_REGISTERS);
}
template <>
__device__ inline void wgmma<64>(float (&d)[32], uint64 a, uint64 b) {
    FDK_WGMMA(64, FDK_LIST32, FDK_SUMS32, "%32, %33", "0, 0", FDK_ADDRESSES);
}

template <>
__device__ inline void wgmma<128>(float (&d)[64], const uint32 (&a)[4], uint64 b) {
    FDK_WGMMA(128, FDK_LIST64, FDK_SUMS64, "{%64, %65, %66, %67}, %68", "0", FDK_REGISTERS);
}
template <>
__device__ inline void wgmma<128>(float (&d)[64], uint64 a, uint64 b) {
    FDK_WGMMA(128, FDK_LIST64, FDK_SUMS64, "%64, %65", "0, 0", FDK_ADDRESSES);
}

template <>
__device__ inline void wgmma<256>(float (&d)[128], const uint32 (&a)[4], uint64 b) {
    FDK_WGMMA(256, FDK_LIST128, FDK_SUMS128, "{%128, %129, %130, %131}, %132", "0", FDK_REGISTERS);
}
template <>
__device__ inline void wgmma<256>(float (&d)[128], uint64 a, uint64 b) {
    FDK_WGMMA(256, FDK_LIST128, FDK_SUMS128, "%128, %129", "0, 0", FDK_ADDRESSES);
}

#undef FDK_WGMMA
#undef FDK_ADDRESSES
#undef FDK_REGISTERS
#undef FDK_SUMS128
#undef FDK_SUMS64
#undef FDK_SUMS32
#undef FDK_SUMS16
#undef FDK_SUMS16_FROM
#undef FDK_SUMS4
#undef FDK_LIST128
#undef FDK_LIST64
#undef FDK_LIST32
#undef FDK_LIST16
#undef FDK_WGMMA_TYPES
