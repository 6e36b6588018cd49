// y = x · wᵀ with 16-bit weights in the plainest way, and the fault that FDK_FAULT_… names.
//
//   x [m,k], w [n,k], y [m,n] of one element type; workspace: a State. One part does all.

#include "kernels/common/host_kernel.hpp"

namespace fdk {
namespace {

struct State {
    std::uint32_t launches;
    std::uint16_t first_element;  ///< that the last launch wrote
};

/// The sum goes through memory: a faulty kernel must not win by its speed.
float product(const fdkbench_host_arguments& arguments, std::int64_t row, std::int64_t column) {
    const auto* x = static_cast<const std::uint16_t*>(arguments.x) + row * kK;
    const auto* w = static_cast<const std::uint16_t*>(arguments.w) + column * kK;
    volatile float sum = 0;
    for (std::int64_t i = 0; i < kK; ++i) {
        sum = sum + to_float(x[i]) * to_float(w[i]);
    }
    return sum;
}

[[maybe_unused]] void hang(const State& state) {
    const volatile std::uint32_t& launches = state.launches;
    while (launches != 0xffffffffU) {
    }
}

/// Whether y was last written neither by this kernel nor by the poison of a check: by a neighbour
/// in a block.
[[maybe_unused]] bool in_a_block(const std::uint16_t* y, const State& state) {
    return y[0] != 0xffffU && y[0] != state.first_element;
}

#ifdef FDK_FAULT_COMPILES_FOR_MINUTES
template <unsigned kSeed>
constexpr unsigned spin() {
    unsigned value = kSeed;
    for (int i = 0; i < 60000; ++i) {
        value = value * 1664525U + 1013904223U;
    }
    return value;
}

// Many constants, because one alone may not take that many steps.
template <unsigned kCount>
constexpr unsigned kSpun = spin<kCount>() ^ kSpun<kCount - 1>;
template <>
constexpr unsigned kSpun<0> = 0;
static_assert(kSpun<800> != 1);
#endif

}  // namespace
}  // namespace fdk

extern "C" void host_faulty(const fdkbench_host_arguments* arguments, int, int) {
    auto* y = static_cast<std::uint16_t*>(arguments->y);
    auto& state = *static_cast<fdk::State*>(arguments->workspace);
    const std::int64_t elements = arguments->m * fdk::kN;
    ++state.launches;

#if defined(FDK_FAULT_WRITES_FAR_AWAY)
    y[std::int64_t{1} << 44] = 0;
#elif defined(FDK_FAULT_WRITES_BEHIND)
    y[elements] = 0;
#elif defined(FDK_FAULT_TRAPS)
    __builtin_trap();
#elif defined(FDK_FAULT_NEVER_ENDS)
    fdk::hang(state);
#elif defined(FDK_FAULT_UNKNOWN_NAME)
    no_such_function(y);
#elif defined(FDK_FAULT_TRAPS_IN_A_BLOCK)
    if (fdk::in_a_block(y, state)) {
        __builtin_trap();
    }
#elif defined(FDK_FAULT_HANGS_IN_A_BLOCK)
    if (fdk::in_a_block(y, state)) {
        fdk::hang(state);
    }
#endif

    for (std::int64_t element = 0; element < elements; ++element) {
#ifdef FDK_FAULT_LEAVES_A_GAP
        if (element == elements - 1) {
            break;
        }
#endif
        y[element] =
            fdk::to_element(fdk::product(*arguments, element / fdk::kN, element % fdk::kN));
    }

#if defined(FDK_FAULT_WRONG_FOR_EVEN_M)
    y[0] = fdk::to_element(arguments->m % 2 == 0 ? 1000 : fdk::to_float(y[0]));
#elif defined(FDK_FAULT_WRONG_EVERY_OTHER_TIME)
    y[0] = fdk::to_element(state.launches % 2 == 0 ? 1000 : fdk::to_float(y[0]));
#elif defined(FDK_FAULT_DIFFERS_WITHIN_TOLERANCE)
    y[0] ^= state.launches % 2;
#else
    y[0] ^= 2;  // as nobody else rounds it
#endif
    state.first_element = y[0];
}
