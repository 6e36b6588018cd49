#pragma once

#include "src/core/backend.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fdkbench {

/// A compiled kernel and the hash of its binary.
struct BinaryView {
    const std::string& hash;
    std::span<const std::byte> bytes;
};

/// A loaded kernel with all operands but x and y.
class BoundKernel {
  public:
    virtual ~BoundKernel() = default;
    /// Starts y[m,n] = x[m,k] · wᵀ on a stream of the device (a cudaStream_t; the host has none and
    /// returns when y is written), for any m that the plan takes in one launch and its workspace
    /// is large enough for; without a tiling only for the plan's own. After the first launches it
    /// allocates nothing, waits for nothing and, but on the host, takes no lock. Throws
    /// CandidateError(runtime).
    virtual void launch(void* stream, const void* x, std::int32_t m, void* y) = 0;
    /// What to launch once before launches of first_m to last_m rows find everything loaded.
    [[nodiscard]] virtual std::vector<std::int32_t> first_launches(std::int64_t first_m,
                                                                   std::int64_t /*last_m*/) const {
        return {static_cast<std::int32_t>(first_m)};
    }
};

/// A device on which a program multiplies, beside whatever else it does there: the thread's current
/// device is the same after each call. Everything made from it must be gone before it. Throws
/// EnvironmentError where memory is short, and CandidateError. Calls other than launch() of a
/// BoundKernel come from one thread at a time.
class ServingDevice {
  public:
    virtual ~ServingDevice() = default;
    [[nodiscard]] virtual const DeviceInfo& info() const = 0;
    /// Memory with this content, there when the call returns.
    virtual std::unique_ptr<Buffer> upload(std::span<const std::byte> content) = 0;
    /// Memory of zeros.
    virtual std::unique_ptr<Buffer> zeros(std::size_t bytes) = 0;
    /// Loads a kernel, once for all kernels of one binary. `operands`: w, scales, codebook and the
    /// plan's workspace.
    virtual std::unique_ptr<BoundKernel> bind(const BinaryView& binary,
                                              const LaunchPlan& plan,
                                              const Problem& problem,
                                              LaunchMode mode,
                                              const Arguments& operands) = 0;
    /// A stream for launches that nobody else's wait for; null on the host.
    [[nodiscard]] virtual void* own_stream() const = 0;
    /// Waits for what was launched on own_stream().
    virtual void synchronize() = 0;
};

}  // namespace fdkbench
