#pragma once

#include "src/core/fragment_order.cuh"
#include "src/cuda/device_session.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// src/cuda/fragment_kernels.cu and the header that it includes.
const EmbeddedFile& fragment_kernels_source();
const std::vector<EmbeddedFile>& fragment_kernels_files();

/// Turns canonical weights into the fragment layout on a device.
class FragmentPacker {
  public:
    /// The session must outlive it.
    explicit FragmentPacker(const DeviceSession& session) : session_(session) {}

    /// Starts to pack the weights of 8, 4, 2 or 1 bits, device memory, 16-byte aligned: canonical
    /// [n, row_bytes] to extents.weight_bytes().
    void pack_weights(const void* from, void* to, const FragmentExtents& extents, int bits);
    /// Starts to pack the scales, device memory: canonical [n, groups] to extents.scales().
    void pack_scales(const void* from, void* to, const FragmentExtents& extents);

  private:
    void launch(const std::string& kernel,
                Extent threads,
                const void* from,
                void* to,
                FragmentExtents extents);

    const DeviceSession& session_;
    SharedLibrary library_;  ///< compiled when first needed
};

}  // namespace fdkbench
