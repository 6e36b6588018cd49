#include "src/cuda/built_kernels.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {

SharedLibrary load_built(const DeviceInfo& device, int bits) {
    const auto kernels = built_kernels();
    const auto found = std::ranges::find_if(kernels, [&](const BuiltKernels& built) {
        return built.bits == bits &&
               built.compute_capability / 10 == device.compute_capability / 10;
    });
    if (found == kernels.end()) {
        throw EnvironmentError(
            fmt::format("{} has compute capability {}.{}, which this program was not built for: "
                        "build it with a CUDA toolkit that knows it",
                        device.id,
                        device.compute_capability / 10,
                        device.compute_capability % 10));
    }
    return load_library(std::as_bytes(found->cubin));
}

}  // namespace fdkbench
