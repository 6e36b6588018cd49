#pragma once

// Launches that overlap (programmatic dependent launch, compute capability 9.0 and above). Both do
// nothing below that, and nothing that matters where launches are plain.

/// Lets the launch behind this one begin as soon as every CTA of this grid has come here or ended.
__device__ inline void begin_dependents() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

/// Waits until the launches before this one have ended and all that they wrote can be seen. Every
/// thread comes here, or waits for one that does: a grid of which a part ended earlier could end
/// before its predecessor, which those behind it do not wait for. Before, a kernel reads only what
/// no launch writes (weights, scales, codebook) and writes nothing but shared memory.
__device__ inline void wait_for_predecessors() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
