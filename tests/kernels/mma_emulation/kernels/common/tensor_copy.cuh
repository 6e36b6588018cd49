#pragma once

#include "tests/kernels/mma_emulation/device.hpp"

// For clusters only (cluster.cuh).

uint32 shared_address(const void* pointer);
void init_barrier(uint32 barrier, int arrivals);
void publish_barriers();
void arrive_and_expect(uint32 barrier, int bytes);
void __syncwarp();
