#pragma once

#include "tests/kernels/mma_emulation/device.hpp"

inline void copy_async_16(void* to_shared, const void* from, int valid_bytes) {
    emulation::copy_async_16(to_shared, from, valid_bytes);
}
inline void commit_async_copies() {
    emulation::commit_async_copies();
}
template <int kPending>
void wait_async_copies() {
    emulation::wait_async_copies(kPending);
}
