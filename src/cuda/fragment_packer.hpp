#pragma once

#include "src/core/device_info.hpp"
#include "src/core/fragment_order.cuh"
#include "src/cuda/kernel_runnable.hpp"

#include <map>

namespace fdkbench {

/// Turns canonical weights into the fragment layout on a device.
class FragmentPacker {
  public:
    explicit FragmentPacker(DeviceInfo device) : device_(std::move(device)) {}

    /// Device memory, 16-byte aligned. Canonical: weights [n, row_bytes], scales [n, groups].
    struct From {
        const void* weights;
        const void* scales;
    };
    /// Fragments: extents.weight_bytes() bytes, extents.scales() elements.
    struct To {
        void* weights;
        void* scales;
    };
    /// Loads the kernels for 8, 4, 2 or 1 bits, which pack() does where that was not done. The
    /// device is the thread's current one for both.
    const SharedLibrary& load(int bits);
    /// Starts to pack weights of so many bits.
    void pack(cudaStream_t stream,
              const From& from,
              const To& to,
              const FragmentExtents& extents,
              int bits);

  private:
    DeviceInfo device_;
    std::map<int, SharedLibrary> libraries_;  ///< by bits
};

}  // namespace fdkbench
