#pragma once

#include "kernels/common/ring_stages.cuh"
#include "kernels/common/ring_sums.cuh"
#include "kernels/common/wgmma.cuh"

// What the kernels share that take their operands from a ring in shared memory: one thread fills
// it, consumer warps multiply, the sums of parts and of a cluster's CTAs are added in a fixed
// order.

/// The kernel: Consumer has Decoder, sum<kGeneral>(shared, decoder), which goes through all rounds
/// of the ring, and put(sums).
template <FragmentRingTiling kRing, class Consumer>
__device__ void run_ring(
    const RingMaps& maps, const void* scales, const void* codebook, void* y, int m, uint8* shared) {
    using Decoder = typename Consumer::Decoder;
    static_assert(Decoder::kBytes == kRing.table_bytes());
    const int rank = blockIdx.x % kRing.cluster;
    const int row_begin = blockIdx.x / kRing.cluster * kRing.rows();
    // Of more rows than a tile, the last tile is whole, too: what it shares with the one before
    // comes out the same.
    const int tile_begin = blockIdx.y * kRing.m_tile;
    const int m_begin = max(min(tile_begin, m - kRing.m_tile), 0);
    const int columns = min(m - m_begin, kRing.m_tile);
    const bool consumer = warp_index() < kRing.consumer_warps;
    const bool producer = threadIdx.x == kRing.consumers();

    RingProducer<kRing> filler(maps, shared, row_begin / 16, rank * kRing.slice_k(), m_begin, m);
    if (producer) {
        filler.prefetch_maps();
        filler.init_barriers(columns);
        begin_dependents();
        filler.begin();
    }
    __syncwarp();
    if constexpr (kRing.cluster > 1) {
        arrive_cluster();
    }
    // Behind the producer's copies, which shall not wait for the codebook.
    Decoder decoder(static_cast<const uint16*>(codebook));
    const bool built_for_general = consumer && decoder.build(shared);
    bool general = false;
    if constexpr (Decoder::kTwoVariants) {
        // The same in all lanes, and the compiler shall know it.
        general = __shfl_sync(~0u, __syncthreads_or(built_for_general), 0) != 0;
    } else {
        __syncthreads();
    }
    const RingSums<kRing> sums(shared, rank, columns);
    if (consumer) {
        if constexpr (kRing.gives_registers()) {
            take_registers<kRing.consumer_warps>();
        }
        Consumer own;
        if (general) {
            own.template sum<Decoder::kTwoVariants>(shared, decoder);
        } else {
            own.template sum<false>(shared, decoder);
        }
        sums.meet();
        own.put(sums);
    } else {
        if constexpr (kRing.gives_registers()) {
            give_registers<kRing.consumer_warps>();
        }
        if (producer) {
            filler.refill();
        }
        __syncwarp();
        sums.meet();
    }
    wait_for_predecessors();
    sums.wait();
    const Result<kRing.format> result(y, scales, m_begin, row_begin + rank * kRing.share());
    finish_rows<kRing>(sums, result, columns, decoder, general);
}
