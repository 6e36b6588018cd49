#pragma once

#include "src/core/fragment_order.cuh"
#include "src/cuda/device_session.hpp"

#include <map>
#include <string>
#include <vector>

namespace fdkbench {

/// src/cuda/fragment_kernels.cu and the header that it includes.
const EmbeddedFile& fragment_kernels_source();
const std::vector<EmbeddedFile>& fragment_kernels_files();
/// What makes it kernels for so many bits.
std::string fragment_kernels_option(int bits);

/// Turns canonical weights into the fragment layout on a device.
class FragmentPacker {
  public:
    /// The session must outlive it.
    explicit FragmentPacker(const DeviceSession& session) : session_(session) {}

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
    /// Starts to pack weights of 8, 4, 2 or 1 bits.
    void pack(const From& from, const To& to, const FragmentExtents& extents, int bits);

  private:
    void launch(const SharedLibrary& library,
                const char* kernel,
                Extent threads,
                const void* from,
                void* to,
                FragmentExtents extents);

    const DeviceSession& session_;
    /// By bits, compiled when first needed: all at once would take four times as long.
    std::map<int, SharedLibrary> libraries_;
};

}  // namespace fdkbench
