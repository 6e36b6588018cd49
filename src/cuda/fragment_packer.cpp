#include "src/cuda/fragment_packer.hpp"

#include "src/cuda/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fdkbench {

const EmbeddedFile& fragment_kernels_source() {
    return *std::ranges::find(
        fragment_kernels_files(), "src/cuda/fragment_kernels.cu", &EmbeddedFile::path);
}

void FragmentPacker::pack_weights(const void* from,
                                  void* to,
                                  const FragmentExtents& extents,
                                  int bits) {
    launch(fmt::format("pack_weights_{}", bits), extents.lanes(), from, to, extents);
}

void FragmentPacker::pack_scales(const void* from, void* to, const FragmentExtents& extents) {
    launch("pack_scales", extents.scales(), from, to, extents);
}

void FragmentPacker::launch(const std::string& kernel,
                            Extent threads,
                            const void* from,
                            void* to,
                            FragmentExtents extents) {
    if (!library_) {
        library_ = session_.compile(fragment_kernels_source(), fragment_kernels_files());
    }
    cudaKernel_t function = nullptr;
    check(cudaLibraryGetKernel(&function, library_.get(), kernel.c_str()), kernel.c_str());
    constexpr unsigned kBlock = 256;
    cudaLaunchConfig_t config{};
    config.gridDim = {static_cast<unsigned>(FragmentExtents::divide_up(threads, kBlock)), 1, 1};
    config.blockDim = {kBlock, 1, 1};
    config.stream = session_.stream();
    std::array<void*, 3> parameters{&from, &extents, &to};
    check(cudaLaunchKernelExC(&config, function, parameters.data()), kernel.c_str());
}

}  // namespace fdkbench
