#include "src/core/fragment_order.cuh"

using namespace fdkbench;

// FDK_BITS: 8, 4, 2 or 1.

// A warp makes one block of 512 bytes: it reads 32 bytes of each of 16 rows, whole sectors, and
// writes the block in one piece. What four lanes compute alike costs less than the memory.
extern "C" __global__ void __launch_bounds__(256)
    pack_weights(const unsigned char* weights, FragmentExtents extents, uint4* fragments) {
    const Extent index = Extent{blockIdx.x} * blockDim.x + threadIdx.x;
    if (index < extents.lanes()) {
        const FragmentLane lane = fragment_lane<FDK_BITS>(weights, extents, index);
        fragments[index] = {lane.words[0], lane.words[1], lane.words[2], lane.words[3]};
    }
}

extern "C" __global__ void __launch_bounds__(256)
    pack_scales(const unsigned short* scales, FragmentExtents extents, unsigned short* fragments) {
    const Extent index = Extent{blockIdx.x} * blockDim.x + threadIdx.x;
    if (index < extents.scales()) {
        fragments[index] = fragment_scale(scales, extents, index);
    }
}
