// faulty: y = x · wᵀ with 16-bit weights in the plainest way, and the fault that FDK_FAULT_… names.
//
//   x [m,k], w [n,k], y [m,n] elements; workspace: a State. A thread makes one element of y; the
//   first thread alone sees to faults that need a memory.

#include "kernels/common/element.cuh"

constexpr int kN = FDK_N;
constexpr int kK = FDK_K;

struct State {
    uint32 launches;
    uint16 first_element;  // that the last launch wrote
};

__device__ float product(const void* x, const void* w, int row, int column, int m) {
    const uint16* x_row = static_cast<const uint16*>(x) + static_cast<int64>(row) * kK;
    const uint16* w_row = static_cast<const uint16*>(w) + static_cast<int64>(column) * kK;
#ifdef FDK_FAULT_SPILLS
    // Indices that only the launch decides keep these out of registers.
    constexpr int kTerms = 1024;
    float terms[kTerms] = {};
    for (int i = 0; i < kK; ++i) {
        terms[i * m % kTerms] += to_float(x_row[i]) * to_float(w_row[i]);
    }
    float sum = 0;
    for (int i = 0; i < kTerms; ++i) {
        sum += terms[(i + m) % kTerms];
    }
    return sum;
#else
    float sum = 0;
    for (int i = 0; i < kK; ++i) {
        sum += to_float(x_row[i]) * to_float(w_row[i]);
    }
    return sum;
#endif
}

__device__ void hang(const State& state) {
    const volatile uint32& launches = state.launches;
    while (launches != 0xffffffffu) {
    }
}

// Whether y was last written neither by this kernel nor by the poison of a check: by a neighbour in
// a block.
__device__ bool in_a_block(const uint16* y, const State& state) {
    return y[0] != 0xffffu && y[0] != state.first_element;
}

#ifdef FDK_FAULT_COMPILES_FOR_MINUTES
template <uint32 kSeed>
__device__ constexpr uint32 spin() {
    uint32 value = kSeed;
    for (int i = 0; i < 600000; ++i) {
        value = value * 1664525u + 1013904223u;
    }
    return value;
}

template <uint32 kCount>
struct Spun {
    static constexpr uint32 value = spin<kCount>() ^ Spun<kCount - 1>::value;
};
template <>
struct Spun<0> {
    static constexpr uint32 value = 0;
};
static_assert(Spun<180>::value != 1);
#endif

// The fault of the first thread, before it writes.
__device__ void fault_before(uint16* y, State& state) {
    ++state.launches;
#if defined(FDK_FAULT_WRITES_FAR_AWAY)
    y[int64{1} << 44] = 0;
#elif defined(FDK_FAULT_TRAPS)
    asm volatile("trap;");
#elif defined(FDK_FAULT_NEVER_ENDS)
    hang(state);
#elif defined(FDK_FAULT_UNKNOWN_NAME)
    no_such_function(y);
#elif defined(FDK_FAULT_TRAPS_IN_A_BLOCK)
    if (in_a_block(y, state)) {
        asm volatile("trap;");
    }
#elif defined(FDK_FAULT_HANGS_IN_A_BLOCK)
    if (in_a_block(y, state)) {
        hang(state);
    }
#endif
}

// What the first thread makes of its right element.
__device__ uint16 faulty_element(uint16 right, const State& state, int m) {
#if defined(FDK_FAULT_WRONG_FOR_EVEN_M)
    return m % 2 == 0 ? to_element(1000) : right;
#elif defined(FDK_FAULT_WRONG_EVERY_OTHER_TIME)
    return state.launches % 2 == 0 ? to_element(1000) : right;
#elif defined(FDK_FAULT_DIFFERS_WITHIN_TOLERANCE)
    return right ^ state.launches % 2;
#else
    return right ^ 2;  // as nobody else rounds it
#endif
}

extern "C" __global__ void faulty(
    const void* x, const void* w, const void*, const void*, void* y, void* workspace, int m) {
    uint16* const elements = static_cast<uint16*>(y);
    State& state = *static_cast<State*>(workspace);
    const int element = blockIdx.x * blockDim.x + threadIdx.x;
    const int count = m * kN;
    if (element >= count) {
        return;
    }
    if (element == 0) {
        fault_before(elements, state);
    }
#ifdef FDK_FAULT_WRITES_BEHIND
    elements[count + element] = 0;
#endif
#ifdef FDK_FAULT_LEAVES_A_GAP
    if (element == count - 1) {
        return;
    }
#endif
    const uint16 right = to_element(product(x, w, element / kN, element % kN, m));
    elements[element] = element == 0 ? faulty_element(right, state, m) : right;
    if (element == 0) {
        state.first_element = elements[0];
    }
}
