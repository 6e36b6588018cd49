#pragma once

#include "tests/kernels/mma_emulation/device.hpp"

#include <cstring>

template <int kBytes>
struct Packed {
    static constexpr int kWords = (kBytes + 3) / 4;
    uint32 words[kWords];
};

template <int kBytes>
Packed<kBytes> zero_packed() {
    return {};
}

template <int kBytes>
Packed<kBytes> load_cached(const void* address) {
    emulation::check_access(address, kBytes);
    Packed<kBytes> value{};
    std::memcpy(value.words, address, kBytes);
    return value;
}
template <int kBytes>
Packed<kBytes> load_streaming(const void* address) {
    return load_cached<kBytes>(address);
}
template <int kBytes>
Packed<kBytes> load_shared(const void* address) {
    return load_cached<kBytes>(address);
}

inline void issue_loads() {}

template <int kBytes>
void store(void* address, const Packed<kBytes>& value) {
    emulation::check_access(address, kBytes);
    std::memcpy(address, value.words, kBytes);
}
