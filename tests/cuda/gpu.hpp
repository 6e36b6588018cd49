#pragma once

#include "src/core/error.hpp"
#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace fdkbench::test {

/// The backend with its first device opened; ends the program as skipped where there is none.
inline Backend& gpu() {
    static const std::unique_ptr<Backend> backend = [] {
        auto made = make_cuda_backend();
        if (made->devices().empty()) {
            skip_program("no CUDA device");
        }
        made->open(0);
        return made;
    }();
    return *backend;
}

/// The opened device.
inline DeviceInfo gpu_info() {
    return gpu().devices().front();
}

/// Source of one kernel called `test` with this body; its arguments are those of Arguments.
inline std::string kernel_text(const std::string& body, const std::string& qualifiers = "") {
    return "extern \"C\" __global__ void " + qualifiers +
           " test(const void* x, const void* w, const void* scales, const void* codebook, void* y, "
           "void* workspace, int m) {\n" +
           body + "\n}\n";
}

/// Compiles the text for the opened device and loads it.
inline std::unique_ptr<Runnable> load_kernel(const std::string& text,
                                             const LaunchPlan& plan,
                                             const Problem& problem = {},
                                             LaunchMode mode = LaunchMode::kPlain) {
    const CompileOutput output =
        make_nvrtc_compiler()->compile({"test.cu", text}, {}, {}, gpu_info().arch);
    INFO(output.log);
    REQUIRE(output.ok);
    const TemporaryFile file(output.binary);
    return gpu().load(file.path(), plan, problem, mode);
}

/// A plan of one launch of `test`.
inline LaunchPlan one_step(std::uint32_t grid,
                           std::uint32_t block,
                           std::uint32_t shared_bytes = 0) {
    LaunchStep step;
    step.kernel = "test";
    step.grid = {grid, 1, 1};
    step.block = {block, 1, 1};
    step.shared_bytes = shared_bytes;
    return {.steps = {step}};
}

template <typename T>
std::unique_ptr<Buffer> to_gpu(const std::vector<T>& values) {
    auto buffer = gpu().allocate(values.size() * sizeof(T));
    gpu().upload(*buffer, 0, std::as_bytes(std::span(values)));
    return buffer;
}

template <typename T>
std::vector<T> from_gpu(const Buffer& buffer) {
    std::vector<T> values(buffer.bytes() / sizeof(T));
    gpu().download(std::as_writable_bytes(std::span(values)), buffer, 0);
    return values;
}

/// Runs `action`, which must fail as a candidate; the error, for its status and its words.
template <typename Action>
CandidateError candidate_error(const Action& action) {
    try {
        action();
    } catch (const CandidateError& error) {
        return error;
    }
    FAIL("no CandidateError");
    throw 0;
}

}  // namespace fdkbench::test
