#pragma once

#include "tests/kernels/mma_emulation/device.hpp"

// No clusters here: declared, because kernels without them name these too.

void arrive_cluster();
void wait_cluster();
void meet_cluster();
uint32 address_in_cluster(const void* shared, int rank);
void store_in_cluster(uint32 address, uint32 value);
