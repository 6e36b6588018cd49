#include "src/cuda/fragment_packer.hpp"

#include "src/cuda/built_kernels.hpp"
#include "src/cuda/check.hpp"

#include <array>

namespace fdkbench {

namespace {

void launch(cudaStream_t stream,
            const SharedLibrary& library,
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
    config.stream = stream;
    std::array<void*, 3> parameters{&from, &extents, &to};
    check(cudaLaunchKernelExC(&config, function, parameters.data()), kernel);
}

}  // namespace

const SharedLibrary& FragmentPacker::load(int bits) {
    SharedLibrary& library = libraries_[bits];
    if (!library) {
        library = load_built(device_, bits);
    }
    return library;
}

void FragmentPacker::pack(
    cudaStream_t stream, const From& from, const To& to, const FragmentExtents& extents, int bits) {
    const SharedLibrary& library = load(bits);
    launch(stream, library, "pack_weights", extents.lanes(), from.weights, to.weights, extents);
    launch(stream, library, "pack_scales", extents.scales(), from.scales, to.scales, extents);
}

}  // namespace fdkbench
