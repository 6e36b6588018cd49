#pragma once

#include "src/core/device_info.hpp"
#include "src/core/embedded_file.hpp"
#include "src/core/launch_plan.hpp"
#include "src/core/measurement.hpp"
#include "src/core/problem.hpp"
#include "src/core/quantise.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fdkbench {

/// Memory of a device; freed on destruction.
class Buffer {
  public:
    virtual ~Buffer() = default;
    [[nodiscard]] virtual void* data() const = 0;  ///< address the kernels see
    [[nodiscard]] virtual std::size_t bytes() const = 0;
};

/// What every kernel of the project is given, in this order. Addresses are device addresses,
/// 256-byte aligned. Shapes: x [m,k], w canonical [n, k·bits/8] or 16-bit [n,k],
/// scales [n, k/group_size], codebook [2^bits], y [m,n]; null where a format has none. Kernels of
/// the fragment layout find w and scales as fragment.hpp says.
struct Arguments {
    const void* x = nullptr;
    const void* w = nullptr;
    const void* scales = nullptr;
    const void* codebook = nullptr;
    void* y = nullptr;
    void* workspace = nullptr;
    std::int32_t m = 0;
};

/// Something that computes y and can be timed: a loaded candidate or a baseline algorithm.
class Runnable {
  public:
    virtual ~Runnable() = default;
    /// Starts one computation on the device's stream; throws CandidateError when it cannot.
    virtual void launch(const Arguments& arguments) = 0;
    [[nodiscard]] virtual KernelResources resources() const = 0;
    [[nodiscard]] virtual std::uint64_t workspace_bytes() const = 0;
    /// For people: "dense_mv" or "cuBLASLt algorithm 3".
    [[nodiscard]] virtual std::string name() const = 0;
};

/// A fixed sequence of launches that can be run again and timed as a whole.
class Replay {
  public:
    virtual ~Replay() = default;
    /// Runs it once; returns microseconds per launch. Throws CandidateError on a device fault.
    virtual double time_us() = 0;
    /// Runs it so many times without a pause; throws as time_us() does.
    virtual void run(std::size_t times) {
        for (std::size_t i = 0; i < times; ++i) {
            time_us();
        }
    }
};

/// One device, as the worker sees it. All calls come from one thread.
class Backend {
  public:
    virtual ~Backend() = default;

    /// Every device this backend can open; empty when there is none. Creates no device context.
    [[nodiscard]] virtual std::vector<DeviceInfo> devices() = 0;
    /// Chooses the device of all later calls (index into devices()). Throws EnvironmentError.
    virtual void open(std::size_t index) = 0;

    /// Uninitialised memory; throws EnvironmentError naming the bytes needed and free.
    virtual std::unique_ptr<Buffer> allocate(std::size_t bytes) = 0;
    virtual void upload(Buffer& to, std::size_t offset, std::span<const std::byte> from) = 0;
    virtual void download(std::span<std::byte> to, const Buffer& from, std::size_t offset) = 0;
    virtual void copy(Buffer& to, const Buffer& from) = 0;  ///< min of both sizes, device to device
    virtual void fill(Buffer& to, std::byte value) = 0;
    /// New memory with a copy of `from` in it; throws as allocate() does.
    [[nodiscard]] std::unique_ptr<Buffer> uploaded(std::span<const std::byte> from);
    /// `from` as device memory that is only read: a copy, or `from` itself where the device can
    /// read it there, so that it must outlive the buffer and not change. Throws as allocate() does.
    virtual std::unique_ptr<Buffer> hold(std::span<const std::byte> from);
    /// Puts quantised weights into a buffer in the fragment layout, their scales from
    /// `scales_offset` on (fragment.hpp says how many bytes). Packs them on the host unless a
    /// backend can do so on its device. Throws std::invalid_argument as to_fragments() does.
    virtual void upload_fragments(Buffer& to,
                                  std::size_t scales_offset,
                                  const QuantisedMatrix& matrix,
                                  const Problem& problem);
    /// Waits for everything launched. Throws CandidateError(runtime) when a launch failed; after
    /// that the backend is unusable and the process should end.
    virtual void synchronize() = 0;

    /// Makes a compiled candidate launchable, in a mode that the device and the plan are for
    /// (require_launch_mode, launch_constraint). Throws CandidateError (constraints: asks for more
    /// than the device has; runtime: cannot be loaded).
    virtual std::unique_ptr<Runnable> load(const std::filesystem::path& binary,
                                           const LaunchPlan& plan,
                                           const Problem& problem,
                                           LaunchMode mode) = 0;
    /// The library's algorithms for the 16-bit product with plain weights [n,k], its first
    /// heuristic choice first, at most 8. Arguments.w points to 16-bit weights. No two have the
    /// same name, and a name means the same algorithm in every process.
    virtual std::vector<std::unique_ptr<Runnable>> baselines(const Problem& problem) = 0;
    /// Records one launch for each element of `rotation`, in order.
    virtual std::unique_ptr<Replay> record(Runnable& runnable,
                                           std::span<const Arguments> rotation) = 0;

    /// y[m,n] = x[m,k] · w[n,k]ᵀ in fp32 with fp32 or wider accumulation; x and y are host memory,
    /// w holds the fp32 weights.
    virtual void reference(std::span<const float> x,
                           const Buffer& w,
                           std::span<float> y,
                           const Shape& shape) = 0;

    /// Leaves the device without work for so long, where that matters: an H100 that works without a
    /// pause lowers its clock within 0.1 s, at its power cap.
    virtual void rest(double time_us) = 0;

    /// What the device says of itself now.
    [[nodiscard]] virtual Conditions conditions() = 0;
    /// What it has used since some moment, in microjoules; nothing when it does not count.
    [[nodiscard]] virtual std::optional<double> energy_uj() = 0;

    /// How many processes compute on the device, this one among them; nothing, or 0, where that
    /// cannot be told.
    [[nodiscard]] virtual std::optional<int> compute_processes() = 0;

    /// Time of a kernel that does nothing, in a replay of many; measured once, then remembered.
    virtual double empty_launch_us() = 0;
    /// Least time to read `bytes` once from cold memory, over several plain kernels, in µs.
    virtual double read_floor_us(std::int64_t bytes) = 0;
    /// Best rate of a large 16-bit matmul, TFLOP/s; measured once, then remembered.
    virtual double matmul_tflop_s() = 0;
    /// Everything `fdkbench devices --measure` prints.
    virtual std::vector<Ceiling> ceilings() = 0;
};

/// Result of compiling one kernel source.
struct CompileOutput {
    bool ok = false;
    std::vector<std::byte> binary;  ///< a cubin, or a shared object
    std::string log;                ///< what the compiler printed
};

/// Turns a kernel source into a binary. Needs no device.
class KernelCompiler {
  public:
    virtual ~KernelCompiler() = default;
    /// As it enters compile keys: "nvrtc 13.0.88 --std=c++20". Differs when the options that every
    /// compilation has do.
    [[nodiscard]] virtual std::string version() = 0;
    /// Headers are found by the path in their #include. A kernel that does not compile is
    /// ok = false; throws EnvironmentError when the compiler cannot do its work: it is missing, or
    /// memory or disk space ran out.
    virtual CompileOutput compile(const EmbeddedFile& source,
                                  std::span<const EmbeddedFile> headers,
                                  std::span<const std::string> options,
                                  const std::string& arch) = 0;
};

}  // namespace fdkbench
