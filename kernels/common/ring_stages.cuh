#pragma once

#include "kernels/common/dependent_launch.cuh"
#include "kernels/common/fragment_ring_tiling.cuh"
#include "kernels/common/load.cuh"
#include "kernels/common/tensor_copy.cuh"

// The ring in shared memory from which kernels take their operands: its producer, and what its
// consumers see of it.
//
//   shared memory: decoder's table | ring of stages | ring of scales | sums from other CTAs |
//   barriers

/// The same in all lanes, and the compiler knows it.
__device__ inline int warp_index() {
    return __shfl_sync(~0u, threadIdx.x / 32, 0);
}

template <FragmentRingTiling kRing>
struct RingAddresses {
    /// A stage's barriers: its operands are there; its consumers have done with them.
    __device__ static uint32 full(const uint8* shared, int stage) {
        return shared_address(shared + kRing.barriers_begin()) + stage * 8;
    }
    __device__ static uint32 empty(const uint8* shared, int stage) {
        return full(shared, kRing.stages + stage);
    }
    /// Sums from the cluster's other CTAs are there.
    __device__ static uint32 sums(const uint8* shared) { return full(shared, 2 * kRing.stages); }
    __device__ static const uint8* stages(const uint8* shared) {
        return shared + kRing.table_bytes();
    }
    __device__ static const uint8* scales(const uint8* shared) {
        return stages(shared) + kRing.stages * kRing.stage_bytes();
    }
};

/// Counts through the slots of a ring; the parity is that of a barrier's phase.
template <int kSlots>
struct RingSlot {
    int index = 0;
    uint32 parity = 0;
    __device__ void next() {
        if (++index == kSlots) {
            index = 0;
            parity ^= 1;
        }
    }
};

struct RingMaps {
    const TensorMap* x;
    const TensorMap* w;
    const TensorMap* scales;
};

/// The thread that fills the ring.
template <FragmentRingTiling kRing>
class RingProducer {
  public:
    __device__ RingProducer(
        const RingMaps& maps, uint8* shared, int row_block, int k_begin, int m_begin, int m)
        : maps_(maps),
          shared_(shared),
          row_block_(row_block),
          k_begin_(k_begin),
          m_begin_(m_begin),
          x_rows_(kRing.x_rows(m)) {}

    /// Else the first copies would read the maps one after the other.
    __device__ void prefetch_maps() const {
        prefetch_map(maps_.w);
        prefetch_map(maps_.x);
        if constexpr (!kRing.format.one_group()) {
            prefetch_map(maps_.scales);
        }
    }

    /// Sums of so many columns will come, 8 at a time.
    __device__ void init_barriers(int columns) const {
#pragma unroll
        for (int i = 0; i < kRing.stages; ++i) {
            init_barrier(Addresses::full(shared_, i), 1);
            init_barrier(Addresses::empty(shared_, i), kRing.consumer_warps);
        }
        init_barrier(Addresses::sums(shared_), 1);
        publish_barriers();
        if constexpr (kRing.cluster > 1) {
            constexpr int kColumnBytes = (kRing.cluster - 1) * kRing.k_parts * kRing.share() * 4;
            arrive_and_expect(Addresses::sums(shared_), (columns + 7) / 8 * 8 * kColumnBytes);
        }
    }

    /// Fills all stages. Only weights and scales are read before the launches that x comes from
    /// have ended; those of later stages would delay the first x if they were asked for before it.
    __device__ void begin() {
        weights();
        wait_for_predecessors();
        activations();
#pragma unroll 1
        while (round_ < min(kRing.stages, kRing.rounds())) {
            weights();
            activations();
        }
    }

    /// Fills stages again as they become free.
    __device__ void refill() {
        RingSlot<kRing.stages> freed;
#pragma unroll 1
        while (round_ < kRing.rounds()) {
            wait_barrier(Addresses::empty(shared_, freed.index), freed.parity);
            freed.next();
            weights();
            activations();
        }
    }

  private:
    using Addresses = RingAddresses<kRing>;

    __device__ void weights() {
        constexpr bool kScales = !kRing.format.one_group();
        const bool new_quads = kScales && round_ % kRing.quad_stages() == 0;
        const uint32 full = Addresses::full(shared_, stage_.index);
        arrive_and_expect(full,
                          kRing.panels() * 128 * x_rows_ + kRing.weight_bytes() +
                              (new_quads ? kRing.slot_bytes() : 0));
        const int k = k_begin_ + round_ * kRing.stage_k();
        const uint32 to = stage() + kRing.x_bytes();
        if constexpr (kRing.format.plain_weights()) {
            copy_box(to, maps_.w, 0, row_block_ * 16, k / 64, full);
        } else {
            copy_box(to, maps_.w, 0, k / kRing.format.block_k(), row_block_, full);
        }
        if (new_quads) {
            copy_box(
                shared_address(Addresses::scales(shared_)) + scale_slot_.index * kRing.slot_bytes(),
                maps_.scales,
                0,
                k / kRing.quad_k(),
                row_block_,
                full);
            scale_slot_.next();
        }
    }

    /// Of the round whose weights were asked for; goes on to the next.
    __device__ void activations() {
        if (x_rows_ == kRing.m_tile) {
            copy_panels<kRing.box_panels()>();
        } else {
            copy_panels<1>();
        }
        ++round_;
        stage_.next();
    }

    template <int kBoxPanels>
    __device__ void copy_panels() {
        const int k = k_begin_ + round_ * kRing.stage_k();
#pragma unroll
        for (int i = 0; i < kRing.panels(); i += kBoxPanels) {
            copy_box(stage() + i * kRing.panel_bytes(),
                     maps_.x,
                     kRing.whole_panels() ? 0 : k + i * 64,
                     m_begin_,
                     kRing.whole_panels() ? k / 64 + i : 0,
                     Addresses::full(shared_, stage_.index));
        }
    }

    __device__ uint32 stage() const {
        return shared_address(Addresses::stages(shared_)) + stage_.index * kRing.stage_bytes();
    }

    RingMaps maps_;
    uint8* shared_;
    int row_block_;
    int k_begin_;
    int m_begin_;
    int x_rows_;
    int round_ = 0;
    RingSlot<kRing.stages> stage_;
    RingSlot<kRing.scale_slots()> scale_slot_;
};

/// A consumer warp's view of the ring: a stage after the other.
template <FragmentRingTiling kRing>
class RingReader {
  public:
    /// The warp takes the rows from 16-row block row_block on, and the chunk of a part.
    __device__ RingReader(const uint8* shared, int row_block, int part)
        : shared_(shared),
          words_(Addresses::stages(shared) + kRing.x_bytes() +
                 (row_block * kRing.stage_blocks() + part * kRing.format.unroll) * 512 +
                 threadIdx.x % 32 * 16),
          scales_(Addresses::scales(shared) + row_block * kRing.slot_quads() * 128 +
                  threadIdx.x % 32 / 4 * 16),
          x_(shared_address(Addresses::stages(shared)) +
             part * (kRing.format.chunk_k() / 64) * kRing.panel_bytes()),
          chunk_begin_(part * kRing.format.chunk_k()) {}

    /// Waits for the stage.
    __device__ void wait() const {
        wait_barrier(Addresses::full(shared_, stage_.index), stage_.parity);
    }
    /// One lane of each warp says that the stage may be filled again.
    __device__ void free() const { arrive(Addresses::empty(shared_, stage_.index)); }
    /// The same of the stage before.
    __device__ void free_last() const {
        arrive(Addresses::empty(shared_, (stage_.index == 0 ? kRing.stages : stage_.index) - 1));
    }

    /// The lane's part of a block of the chunk, of the row_block-th of the warp's row blocks.
    __device__ Packed<16> words(int row_block, int block) const {
        return load_shared<16>(words_ + stage_.index * kRing.stage_bytes() +
                               (row_block * kRing.stage_blocks() + block) * 512);
    }
    /// Of rows lane / 4 (low half) and lane / 4 + 8, where the chunk's span begins.
    __device__ uint32 scales(int row_block, int span) const {
        // Unsigned, as it divides with fewer instructions.
        const uint32 k =
            round_in_quad_ * kRing.stage_k() + chunk_begin_ + span * kRing.format.span_k();
        const uint32 group = k / kRing.format.group_size;
        return load_shared<4>(scales_ + scale_slot_.index * kRing.slot_bytes() +
                              (row_block * kRing.slot_quads() + group / 4) * 128 + group % 4 * 4)
            .words[0];
    }
    /// Address of the stage's weights, of all rows and parts.
    __device__ uint32 weights() const {
        return shared_address(Addresses::stages(shared_)) + stage_.index * kRing.stage_bytes() +
               kRing.x_bytes();
    }
    /// Address of the chunk's first panel of x.
    __device__ uint32 x() const { return x_ + stage_.index * kRing.stage_bytes(); }

    __device__ void next() {
        stage_.next();
        if (!kRing.format.one_group() && ++round_in_quad_ == kRing.quad_stages()) {
            round_in_quad_ = 0;
            scale_slot_.next();
        }
    }

  private:
    using Addresses = RingAddresses<kRing>;
    const uint8* shared_;
    const uint8* words_;
    const uint8* scales_;
    uint32 x_;
    int chunk_begin_;
    int round_in_quad_ = 0;
    RingSlot<kRing.stages> stage_;
    RingSlot<kRing.scale_slots()> scale_slot_;
};
