#pragma once

#include "tests/kernels/mma_emulation/device.hpp"

// No clusters here: declared, because kernels without them name these too.

void arrive_cluster();
void wait_cluster();
void wait_cluster_barrier(uint32 barrier);
uint32 address_in_cluster(uint32 shared, int rank);
void store_in_cluster(uint32 address, float value, uint32 barrier);
