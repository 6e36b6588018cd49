#include "src/cuda/fragment_packer.hpp"

#include "src/cuda/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace fdkbench {

const EmbeddedFile& fragment_kernels_source() {
    return *std::ranges::find(
        fragment_kernels_files(), "src/cuda/fragment_kernels.cu", &EmbeddedFile::path);
}

std::string fragment_kernels_option(int bits) {
    return fmt::format("-DFDK_BITS={}", bits);
}

void FragmentPacker::pack(const From& from,
                          const To& to,
                          const FragmentExtents& extents,
                          int bits) {
    SharedLibrary& library = libraries_[bits];
    if (!library) {
        const std::string option = fragment_kernels_option(bits);
        library = session_.compile(
            fragment_kernels_source(), fragment_kernels_files(), std::span(&option, 1));
    }
    launch(library, "pack_weights", extents.lanes(), from.weights, to.weights, extents);
    launch(library, "pack_scales", extents.scales(), from.scales, to.scales, extents);
}

void FragmentPacker::launch(const SharedLibrary& library,
                            const char* kernel,
                            Extent threads,
                            const void* from,
                            void* to,
                            FragmentExtents extents) {
    cudaKernel_t function = nullptr;
    check(cudaLibraryGetKernel(&function, library.get(), kernel), kernel);
    constexpr unsigned kBlock = 256;
    cudaLaunchConfig_t config{};
    config.gridDim = {static_cast<unsigned>(FragmentExtents::divide_up(threads, kBlock)), 1, 1};
    config.blockDim = {kBlock, 1, 1};
    config.stream = session_.stream();
    std::array<void*, 3> parameters{&from, &extents, &to};
    check(cudaLaunchKernelExC(&config, function, parameters.data()), kernel);
}

}  // namespace fdkbench
